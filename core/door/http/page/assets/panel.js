/** The queue of uploads, and the panel that shows it. */
import { Transfer } from "./transfer.js";
import { notify, refreshQuietly } from "./main.js";
import { root } from "./root.js";

const maxActiveUploads = 3;
/** The most rows of the panel; beyond it, only active and failed uploads get one. */
const maxRows = 200;
const queue = [];
const rows = new Map();
let panel;
let list;
let timer;

/** Returns whether any upload is in progress. */
export function isUploading() {
  return queue.some(({ state }) => state === "sending" || state === "waiting");
}

/** Lists the partial uploads, which the reader can resume. */
export async function startPanel() {
  addEventListener("beforeunload", (event) => isUploading() && event.preventDefault());
  try {
    const response = await fetch(`${root}/half`, { headers: { accept: "application/json" } });
    if (!response.ok || response.redirected) return;
    for (const partial of await response.json()) {
      if (queue.some(({ path }) => path === partial.path)) continue;
      const transfer = new Transfer(partial.path, undefined, paint);
      Object.assign(transfer, {
        size: partial.size,
        sent: partial.offset,
        state: "partial",
        partial,
        begun: true,
      });
      queue.push(transfer);
      paint(transfer);
    }
  } catch { /* the next page load tries again */ }
}

/** Queues files for a folder, and creates their folders. */
export async function add(dir, files) {
  const sizes = files.reduce((sum, { file }) => sum + (file?.size ?? 0), 0);
  const left = document.querySelector("#room")?.dataset.left;
  if (left !== undefined && left !== "none" && sizes > Number(left) && files.length > 1) {
    notify(
      `The files need ${size(sizes)}, ${
        size(Number(left))
      } are available. Files that fit are uploaded.`,
      true,
    );
  }
  try {
    await makeFolders(dir, files);
  } catch (error) {
    return notify(error.message, true);
  }
  for (const { path, file } of files) {
    if (!file) continue;
    const target = `${dir}/${path}`;
    const partial = queue.find((other) => other.path === target && other.state === "partial");
    if (partial) {
      await resume(partial, file);
      continue;
    }
    const transfer = new Transfer(target, file, paint);
    queue.push(transfer);
    paint(transfer);
  }
  if (files.every(({ file }) => !file)) refreshQuietly();
  next();
}

async function makeFolders(dir, files) {
  const folders = new Set();
  for (const { path, file } of files) {
    const parts = path.split("/");
    if (file) parts.pop();
    if (parts.length > 0) folders.add(parts.join("/"));
  }
  for (const folder of folders) {
    const response = await fetch(`${root}/api/v1/mkdir`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ path: `${dir}/${folder}`, parents: true }),
    });
    if (response.ok) continue;
    const problem = await response.json().catch(() => ({}));
    throw new Error(`${folder}: ${problem.detail ?? "the folder can't be created"}`);
  }
}

function next() {
  const sending = queue.filter(({ state }) => state === "sending").length;
  for (
    const transfer of queue.filter(({ state }) => state === "waiting").slice(
      0,
      maxActiveUploads - sending,
    )
  ) {
    scheduleRefresh(); // an upload reserves its size
    transfer.run().then(() => {
      if (transfer.state === "done") scheduleRefresh();
      if (!isUploading()) notifyFinished();
      next();
    });
  }
}

function notifyFinished() {
  const count = (state) => queue.filter((transfer) => transfer.state === state).length;
  const [done, failed] = [count("done"), count("failed")];
  if (failed === 1 && done === 0) {
    const one = queue.find(({ state }) => state === "failed");
    notify(`${one.name}: ${statusText(one)}`, true);
  } else if (failed > 0) notify(`${failed} of ${done + failed} uploads failed.`, true);
  else if (done > 0) notify(done === 1 ? "Uploaded." : `${done} files uploaded.`);
}

/** Refreshes the list and the meter, once for many small files. */
function scheduleRefresh() {
  timer ??= setTimeout(() => {
    timer = undefined;
    refreshQuietly();
  }, isUploading() ? 700 : 50);
}

/** Resumes a partial upload with a chosen file, if that is the file that the upload began with. */
async function resume(transfer, file) {
  const same = file.size === transfer.size &&
    (!transfer.partial || await matches(transfer.partial, file));
  if (!same) return notify(`That is another file: its start differs from ${transfer.name}.`, true);
  transfer.file = file;
  transfer.state = "waiting";
  paint(transfer);
  next();
}

/**
 * Returns whether a partial upload is of this file, by the digest of its start. Without HTTPS, browsers
 * compute no digests, and the file's time is compared instead.
 */
async function matches({ begins: { bytes, sha256 }, modified }, file) {
  if (!globalThis.crypto?.subtle) return modified === null || modified === file.lastModified;
  const digest = await crypto.subtle.digest("SHA-256", await file.slice(0, bytes).arrayBuffer());
  return [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, "0")).join("") ===
    sha256;
}

function build() {
  panel = document.createElement("section");
  panel.className = "transfers";
  panel.setAttribute("aria-label", "Uploads");
  panel.innerHTML = `<header><h2>Uploads</h2><span class="sr" role="status"></span>
    <button type="button" class="b flat" data-act="all" hidden>Replace all</button>
    <button type="button" class="b flat" data-act="clear">Clear</button></header><ol></ol>`;
  list = panel.querySelector("ol");
  panel.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-act]");
    if (!button) return;
    const transfer = queue.find((one) => rows.get(one) === button.closest("li"));
    act(button.dataset.act, transfer);
  });
  document.body.append(panel);
}

const acts = {
  pause: (transfer) => transfer.pause(),
  resume(transfer) {
    transfer.state = "waiting";
    paint(transfer);
  },
  replace(transfer) {
    transfer.overwrite = true;
    acts.resume(transfer);
  },
  both(transfer) {
    const dot = transfer.name.lastIndexOf(".");
    const cut = transfer.path.length - transfer.name.length +
      (dot > 0 ? dot : transfer.name.length);
    if (transfer.begun) new Transfer(transfer.path).drop();
    transfer.begun = false;
    transfer.path = `${transfer.path.slice(0, cut)} (new)${transfer.path.slice(cut)}`;
    acts.resume(transfer);
  },
  choose(transfer) {
    const input = document.createElement("input");
    input.type = "file";
    input.setAttribute("aria-label", `${transfer.name}, to resume`);
    document.body.append(input);
    input.addEventListener("cancel", () => input.remove());
    input.addEventListener("change", () => {
      resume(transfer, input.files[0]);
      input.remove();
    });
    input.click();
  },
  async cancel(transfer) {
    forget(transfer);
    await transfer.cancel();
    refreshQuietly();
  },
};

function act(name, transfer) {
  scheduleRefresh();
  if (name === "clear") {
    const ended = queue.filter(({ state }) => state === "done" || state === "failed");
    for (const one of ended) forget(one);
  } else if (name === "all") {
    for (const one of queue.filter(isTaken)) acts.replace(one);
  } else acts[name](transfer);
  next();
}

function forget(transfer) {
  rows.get(transfer)?.remove();
  rows.delete(transfer);
  queue.splice(queue.indexOf(transfer), 1);
  if (queue.length === 0) {
    panel?.remove();
    panel = undefined;
  } else updateTitle();
}

/** The buttons of an upload by its state: act, icon, label. */
const buttons = {
  waiting: [["cancel", "close", "Cancel"]],
  sending: [["pause", "pause", "Pause"], ["cancel", "close", "Cancel"]],
  paused: [["resume", "play", "Resume"], ["cancel", "close", "Cancel"]],
  failed: [["resume", "play", "Try again"], ["cancel", "close", "Cancel"]],
  exists: [["replace", "", "Replace"], ["both", "", "Keep both"], ["cancel", "close", "Skip"]],
  partial: [["choose", "", "Choose the file again"], ["cancel", "close", "Cancel"]],
  done: [],
};

/** Returns whether an upload failed because a file of its name exists. */
function isTaken({ state, kind }) {
  return state === "failed" && kind === "exists";
}

function paint(transfer) {
  if (transfer.state === "cancelled") return;
  if (!panel) build();
  let row = rows.get(transfer);
  if (!row) {
    if (rows.size >= maxRows && transfer.state === "waiting") return updateTitle();
    row = document.createElement("li");
    row.innerHTML = `<span class="what"></span><span class="row"></span>
      <progress max="1" value="0"></progress><span class="how"></span>`;
    row.querySelector(".what").textContent = transfer.name;
    row.querySelector(".what").title = transfer.path;
    row.querySelector("progress").setAttribute("aria-label", transfer.name);
    rows.set(transfer, row);
    if (transfer.state === "failed") list.prepend(row);
    else list.append(row);
  }
  const state = isTaken(transfer) ? "exists" : transfer.state;
  if (row.dataset.state !== state) updateRow(row, state, transfer);
  row.querySelector("progress").value = transfer.size === 0 ? 0 : transfer.sent / transfer.size;
  row.querySelector(".how").textContent = statusText(transfer);
  if (state === "done" && rows.size > maxRows) {
    row.remove();
    rows.delete(transfer);
  }
  updateTitle();
}

function updateRow(row, state, { name }) {
  row.dataset.state = state;
  row.classList.toggle("bad", state === "failed" || state === "exists");
  row.classList.toggle("done", state === "done");
  row.querySelector(".what").textContent = name;
  const sprite = document.querySelector("svg.i use").getAttribute("href").split("#")[0];
  row.querySelector(".row").innerHTML = buttons[state].map(([act, icon, label]) =>
    icon
      ? `<button type="button" class="b flat icon" data-act="${act}" title="${label}"><svg class="i"
          aria-hidden="true"><use href="${sprite}#${icon}"/></svg></button>`
      : `<button type="button" class="b" data-act="${act}">${label}</button>`
  ).join("");
  for (const button of row.querySelectorAll("button[title]")) {
    button.setAttribute("aria-label", `${button.title} ${name}`);
  }
}

function statusText({ state, sent, size: all, rate, why, kind }) {
  const of = `${size(sent)} of ${size(all)}`;
  if (state === "waiting") return `${size(all)}, waiting`;
  if (state === "done") return `${size(all)}, done`;
  if (state === "paused") return `${of}, paused`;
  if (state === "partial") return `${of} uploaded`;
  if (state === "failed" && kind === "over-quota") return tooLarge(all);
  if (state === "failed" || why) return why;
  if (rate < 1) return of;
  return `${of} · ${size(rate)}/s · ${duration((all - sent) / rate)} left`;
}

function tooLarge(needed) {
  const { left } = document.querySelector("#room").dataset;
  return `It needs ${size(needed)}, ${size(Number(left))} are available.`;
}

let titlePending = false;

/** Updates the panel's title, at most once a frame. */
function updateTitle() {
  if (titlePending) return;
  titlePending = true;
  requestAnimationFrame(() => {
    titlePending = false;
    if (!panel) return;
    const open = queue.filter(({ state }) => state === "sending" || state === "waiting").length;
    panel.querySelector("[data-act=all]").hidden = queue.filter(isTaken).length < 2;
    const partial = queue.some(({ state }) => state === "partial");
    panel.querySelector("h2").textContent = open > 0
      ? `Uploading ${open} ${open === 1 ? "file" : "files"}`
      : partial
      ? "Partial uploads"
      : "Uploads";
  });
}

/** Formats a size as the server does. */
export function size(bytes) {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let value = bytes;
  for (const unit of ["kB", "MB", "GB", "TB", "PB"]) {
    value /= 1000;
    if (value < 999.5) return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${unit}`;
  }
  return "a lot";
}

function duration(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
