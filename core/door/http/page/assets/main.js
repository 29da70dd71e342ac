/**
 * Handles links and forms without a full reload: they replace parts of the page, so uploads continue.
 * Every page is complete without this script.
 */
import { prepareFolder } from "./folder.js";
import { startLive } from "./live.js";
import { isUploading, startPanel } from "./panel.js";
import { root } from "./root.js";

const toast = document.querySelector("#toast");
let toastTimer;

/** Shows a notice; screen readers announce it. */
export function notify(text, bad = false) {
  clearTimeout(toastTimer);
  toast.textContent = text;
  toast.classList.toggle("bad", bad);
  toastTimer = setTimeout(() => toast.textContent = "", bad ? 9000 : 5000);
}

/** Fetches a page. Notifies the reader of network errors, and returns undefined then. */
async function load(url, init) {
  const slow = setTimeout(() => document.body.classList.add("busy"), 300);
  try {
    const response = await fetch(url, { ...init, headers: { accept: "text/html" } });
    const text = await response.text();
    const page = new DOMParser().parseFromString(text, "text/html");
    return { page, url: response.url, ok: response.ok };
  } catch {
    notify(navigator.onLine ? "The server is not reachable. Try again." : "You are offline.", true);
    return undefined;
  } finally {
    clearTimeout(slow);
    document.body.classList.remove("busy");
  }
}

/** The parts that differ from page to page. */
const pageParts = [".places", "#room", ".who", "main"];

/** Replaces parts of the page by those of a fetched one. */
function show({ page, url }, { push = true, focus = true, parts = pageParts } = {}) {
  // The parts are those of pages with a login.
  if (![page, document].every((one) => one.querySelector(".shell"))) return location.assign(url);
  const target = new URL(url);
  const notice = page.querySelector("[data-notice]")?.dataset.notice;
  target.searchParams.delete("notice");
  for (const part of parts) {
    document.querySelector(part)?.replaceWith(page.querySelector(part));
  }
  document.title = page.title;
  if (push && target.href !== location.href) history.pushState(null, "", target);
  if (focus) document.querySelector("main").focus({ preventScroll: push === false });
  prepare();
  if (notice) notify(notice);
}

let visits = 0;

/** Goes to a page of this server; of several, to the one that was requested last. */
export async function visit(url, options) {
  const number = ++visits;
  const answer = await load(url);
  if (answer && number === visits) show(answer, options);
}

/** While a pointer is down, nothing on the page may change: the click would be lost. */
let pressed = false;
addEventListener("pointerdown", () => pressed = true, true);
for (const over of ["click", "pointercancel", "dragend", "blur"]) {
  addEventListener(over, () => pressed = false, true);
}
addEventListener("pointerup", () => setTimeout(() => pressed = false), true);

/** Refreshes the quota meter and the list; keeps focus and selection. */
export async function refreshQuietly() {
  const before = visits;
  const { href } = location;
  const answer = await load(href);
  while (pressed) await new Promise((resolve) => setTimeout(resolve, 50));
  const focused = document.activeElement;
  const typing = focused?.matches("main input:not([type=checkbox])");
  const left = visits !== before || location.href !== href;
  if (!answer || left || typing || dialog.open) return;
  const focusedName = focused?.closest("tr")?.querySelector(".pick input")?.value;
  const selected = new Set(
    Array.from(document.querySelectorAll(".pick input[name]:checked"), (box) => box.value),
  );
  show(answer, { push: false, focus: false, parts: ["#room", "main"] });
  if (focused?.id && !focused.isConnected) document.getElementById(focused.id)?.focus();
  for (const box of document.querySelectorAll(".pick input[name]")) {
    if (selected.has(box.value)) box.checked = true;
    if (box.value !== focusedName) continue;
    if (focused.matches(".pick input")) box.focus();
    else box.closest("tr").querySelector(".name a").focus();
  }
  prepareFolder();
}

/** Adapts the page to the browser: the time zone, the clipboard, the URL of the server. */
function prepare() {
  const now = new Date();
  for (const time of document.querySelectorAll("main time")) {
    const date = new Date(time.dateTime);
    const today = date.toDateString() === now.toDateString();
    const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
    time.textContent = today
      ? `Today ${date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`
      : date.toLocaleDateString([], { day: "numeric", month: "short", year });
    time.title = date.toLocaleString();
  }
  for (const link of document.querySelectorAll("[data-link]")) {
    link.textContent = location.origin + link.dataset.link; // behind a proxy, the server may not know the origin
  }
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = !navigator.clipboard;
  }
  prepareFolder();
  startLive(prepare);
}

const dialog = document.createElement("dialog");
document.body.append(dialog);
let opener;

/** Shows the form or card of a page as a dialog. @returns false if the page has none */
function showDialog(page) {
  const question = page.querySelector("[data-question], main > .card, .keys");
  if (!question) return false;
  if (!dialog.open) opener = document.activeElement;
  dialog.replaceChildren(question);
  prepare();
  dialog.setAttribute("aria-label", question.querySelector("h1")?.textContent ?? "");
  if (!dialog.open) dialog.showModal();
  const first = question.querySelector("[autofocus], [data-default]");
  first?.focus();
  if (first?.name === "to" && first.select) {
    const dot = first.value.lastIndexOf(".");
    first.setSelectionRange(0, dot > 0 ? dot : first.value.length);
  }
  return true;
}

dialog.addEventListener("close", () => opener?.isConnected && opener.focus());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest("[data-cancel]")) {
    event.preventDefault();
    dialog.close();
  }
});

/** Loads a link or form, and shows its question as a dialog or its page. */
export async function openDialog(url, init) {
  const answer = await load(url, init);
  if (!answer || showDialog(answer.page)) return;
  if (dialog.open) dialog.close();
  if (answer.ok) return show(answer);
  notify(answer.page.querySelector(".note")?.textContent ?? "The request failed.", true);
}

document.addEventListener("click", (event) => {
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  const copied = event.target.closest("[data-copy]");
  if (copied) {
    navigator.clipboard.writeText(document.getElementById(copied.dataset.copy).textContent.trim())
      .then(() => notify("Copied."), () => notify("The browser does not allow copying.", true));
  }
  const link = event.target.closest("a[href]");
  if (!link || !plain || event.defaultPrevented || link.download || link.target) return;
  if (link.origin !== location.origin || link.getAttribute("href").startsWith("#")) return;
  if (!link.pathname.startsWith(`${root}/`)) return;
  if (/^\/(api|raw|s)\//.test(link.pathname.slice(root.length))) return;
  event.preventDefault();
  if ("dialog" in link.dataset) openDialog(link.href);
  else visit(link.href);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const { submitter } = event;
  const fields = new FormData(form, submitter);
  if (form.matches("[data-theme-form]")) {
    event.preventDefault();
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark" ||
      (!document.documentElement.dataset.theme &&
        matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    fields.set("theme", dark ? "light" : "dark");
    fetch(form.action, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
  } else if (form.matches("[data-find]")) {
    event.preventDefault();
    visit(`${location.pathname}?${new URLSearchParams(fields)}`, { focus: false });
  } else if (form.matches("[data-files], [data-question], [data-act]")) {
    event.preventDefault();
    const url = submitter?.getAttribute("formaction") ?? form.getAttribute("action");
    openDialog(url, { method: "POST", body: new URLSearchParams(fields) });
  } else if (form.action.endsWith("/logout") && isUploading()) {
    if (!confirm("Uploads are in progress. Log out anyway?")) event.preventDefault();
  }
});

addEventListener("popstate", () => visit(location.href, { push: false }));

prepare();
const first = document.querySelector("[data-notice]")?.dataset.notice;
if (first) {
  notify(first);
  const bare = new URL(location.href);
  bare.searchParams.delete("notice");
  history.replaceState(null, "", bare);
}
if (document.querySelector(".shell")) startPanel();
