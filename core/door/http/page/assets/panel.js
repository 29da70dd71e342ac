/** The transfers: a queue of uploads, some at once, and the panel that shows them. */
import { Transfer } from "./transfer.js";
import { refreshQuietly, say } from "./main.js";
import { root } from "./root.js";

/** So many send at once; the others wait. */
const together = 3;
/** So many rows are shown; who drops ten thousand files sees those that matter. */
const rowsShown = 200;
const queue = [];
const rows = new Map();
let panel;
let list;
let timer;

/** Is any upload under way? */
export function under() {
  return queue.some(({ state }) => state === "sending" || state === "waiting");
}

/** Looks for what was cut off, to be gone on with. */
export async function startPanel() {
  addEventListener("beforeunload", (event) => under() && event.preventDefault());
  try {
    const response = await fetch(`${root}/half`, { headers: { accept: "application/json" } });
    if (!response.ok || response.redirected) return;
    for (const half of await response.json()) {
      if (queue.some(({ path }) => path === half.path)) continue;
      const transfer = new Transfer(half.path, undefined, paint);
      Object.assign(transfer, {
        size: half.size,
        sent: half.offset,
        state: "half",
        half,
        begun: true,
      });
      queue.push(transfer);
      paint(transfer);
    }
  } catch { /* the next page asks again */ }
}

/** Queues files for a folder; those with a folder of their own have it made. */
export async function add(dir, files) {
  const sizes = files.reduce((sum, { file }) => sum + (file?.size ?? 0), 0);
  const left = document.querySelector("#room")?.dataset.left;
  if (left !== undefined && left !== "none" && sizes > Number(left) && files.length > 1) {
    say(
      `All of it needs ${size(sizes)}, and ${size(Number(left))} are left: what fits is sent.`,
      true,
    );
  }
  try {
    await makeFolders(dir, files);
  } catch (error) {
    return say(error.message, true);
  }
  for (const { path, file } of files) {
    if (!file) continue;
    const at = `${dir}/${path}`;
    const half = queue.find((other) => other.path === at && other.state === "half");
    if (half) {
      await goOn(half, file);
      continue;
    }
    const transfer = new Transfer(at, file, paint);
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
    throw new Error(`${folder}: ${problem.detail ?? "the folder can't be made"}`);
  }
}

function next() {
  const sending = queue.filter(({ state }) => state === "sending").length;
  for (
    const transfer of queue.filter(({ state }) => state === "waiting").slice(0, together - sending)
  ) {
    later(); // what is begun holds room
    transfer.run().then(() => {
      if (transfer.state === "done") later();
      if (!under()) finished();
      next();
    });
  }
}

function finished() {
  const count = (state) => queue.filter((transfer) => transfer.state === state).length;
  const [done, failed] = [count("done"), count("failed")];
  if (failed === 1 && done === 0) {
    const one = queue.find(({ state }) => state === "failed");
    say(`${one.name}: ${how(one)}`, true);
  } else if (failed > 0) say(`${failed} of ${done + failed} uploads failed.`, true);
  else if (done > 0) say(done === 1 ? "Uploaded." : `${done} files uploaded.`);
}

/** The list and the meter, once for many small files. */
function later() {
  timer ??= setTimeout(() => {
    timer = undefined;
    refreshQuietly();
  }, under() ? 700 : 50);
}

/** Goes on with an upload that was cut off, if this is its file. */
async function goOn(transfer, file) {
  const same = file.size === transfer.size && (!transfer.half || await isHalf(transfer.half, file));
  if (!same) return say(`That is another file: ${transfer.name} began otherwise.`, true);
  transfer.file = file;
  transfer.state = "waiting";
  paint(transfer);
  next();
}

/** Is this the file? Where the browser has no digests (no HTTPS), its time has to do. */
async function isHalf({ begins: { bytes, sha256 }, modified }, file) {
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
    input.setAttribute("aria-label", `${transfer.name}, to go on with`);
    document.body.append(input);
    input.addEventListener("cancel", () => input.remove());
    input.addEventListener("change", () => {
      goOn(transfer, input.files[0]);
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

function act(what, transfer) {
  later();
  if (what === "clear") {
    const over = queue.filter(({ state }) => state === "done" || state === "failed");
    for (const one of over) forget(one);
  } else if (what === "all") {
    for (const one of queue.filter(isTaken)) acts.replace(one);
  } else acts[what](transfer);
  next();
}

function forget(transfer) {
  rows.get(transfer)?.remove();
  rows.delete(transfer);
  queue.splice(queue.indexOf(transfer), 1);
  if (queue.length === 0) {
    panel?.remove();
    panel = undefined;
  } else title();
}

/** What can be done with an upload in each state: act, icon, label. */
const buttons = {
  waiting: [["cancel", "close", "Cancel"]],
  sending: [["pause", "pause", "Pause"], ["cancel", "close", "Cancel"]],
  paused: [["resume", "play", "Go on"], ["cancel", "close", "Cancel"]],
  failed: [["resume", "play", "Try again"], ["cancel", "close", "Cancel"]],
  exists: [["replace", "", "Replace"], ["both", "", "Keep both"], ["cancel", "close", "Skip"]],
  half: [["choose", "", "Choose the file again"], ["cancel", "close", "Cancel"]],
  done: [],
};

/** Is there a file of its name already? */
function isTaken({ state, kind }) {
  return state === "failed" && kind === "exists";
}

function paint(transfer) {
  if (transfer.state === "cancelled") return;
  if (!panel) build();
  let row = rows.get(transfer);
  if (!row) {
    if (rows.size >= rowsShown && transfer.state === "waiting") return title();
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
  if (row.dataset.state !== state) dressRow(row, state, transfer);
  row.querySelector("progress").value = transfer.size === 0 ? 0 : transfer.sent / transfer.size;
  row.querySelector(".how").textContent = how(transfer);
  if (state === "done" && rows.size > rowsShown) {
    row.remove();
    rows.delete(transfer);
  }
  title();
}

function dressRow(row, state, { name }) {
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

function how({ state, sent, size: all, rate, why, kind }) {
  const of = `${size(sent)} of ${size(all)}`;
  if (state === "waiting") return `${size(all)}, waiting`;
  if (state === "done") return `${size(all)}, done`;
  if (state === "paused") return `${of}, paused`;
  if (state === "half") return `${of} are here`;
  if (state === "failed" && kind === "over-quota") return tooLarge(all);
  if (state === "failed" || why) return why;
  if (rate < 1) return of;
  return `${of} · ${size(rate)}/s · ${duration((all - sent) / rate)} left`;
}

function tooLarge(needed) {
  const { left } = document.querySelector("#room").dataset;
  return `It needs ${size(needed)}, and ${size(Number(left))} are left.`;
}

let titled = false;

/** Once a frame, however many files there are. */
function title() {
  if (titled) return;
  titled = true;
  requestAnimationFrame(() => {
    titled = false;
    if (!panel) return;
    const open = queue.filter(({ state }) => state === "sending" || state === "waiting").length;
    panel.querySelector("[data-act=all]").hidden = queue.filter(isTaken).length < 2;
    const half = queue.some(({ state }) => state === "half");
    panel.querySelector("h2").textContent = open > 0
      ? `Uploading ${open} ${open === 1 ? "file" : "files"}`
      : half
      ? "Not finished"
      : "Uploads";
  });
}

/** As the server writes sizes. */
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
