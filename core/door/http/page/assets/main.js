/**
 * What makes the page quicker: links and forms change the part of the page that they lead to, instead
 * of loading all of it, so that uploads go on meanwhile. Every page is complete without it.
 */
import { openFolder } from "./folder.js";
import { startLive } from "./live.js";
import { startPanel, under } from "./panel.js";
import { root } from "./root.js";

const toast = document.querySelector("#toast");
let toastTimer;

/** Says something, also to who can't see it. */
export function say(text, bad = false) {
  clearTimeout(toastTimer);
  toast.textContent = text;
  toast.classList.toggle("bad", bad);
  toastTimer = setTimeout(() => toast.textContent = "", bad ? 9000 : 5000);
}

/** Fetches a page; what only the network can have done is told to the reader. */
async function load(url, init) {
  const slow = setTimeout(() => document.body.classList.add("busy"), 300);
  try {
    const response = await fetch(url, { ...init, headers: { accept: "text/html" } });
    const text = await response.text();
    const page = new DOMParser().parseFromString(text, "text/html");
    return { page, url: response.url, ok: response.ok };
  } catch {
    say(navigator.onLine ? "The server can't be reached. Try again." : "You are offline.", true);
    return undefined;
  } finally {
    clearTimeout(slow);
    document.body.classList.remove("busy");
  }
}

/** All that changes from page to page. */
const shell = [".places", "#room", ".who", "main"];

/** Puts what was fetched in the place of what is there. */
function show({ page, url }, { push = true, focus = true, parts = shell } = {}) {
  if (!page.querySelector(".shell")) return location.assign(url); // logged out meanwhile
  const target = new URL(url);
  const notice = page.querySelector("[data-notice]")?.dataset.notice;
  target.searchParams.delete("notice");
  for (const part of parts) {
    document.querySelector(part)?.replaceWith(page.querySelector(part));
  }
  document.title = page.title;
  if (push && target.href !== location.href) history.pushState(null, "", target);
  if (focus) document.querySelector("main").focus({ preventScroll: push === false });
  dress();
  if (notice) say(notice);
}

let visits = 0;

/** Goes to a page of ours; of several, the one that was asked for last. */
export async function visit(url, options) {
  const mine = ++visits;
  const answer = await load(url);
  if (answer && mine === visits) show(answer, options);
}

/** Nothing changes under a finger that is down: its click would be lost. */
let pressed = false;
addEventListener("pointerdown", () => pressed = true, true);
for (const over of ["click", "pointercancel", "dragend", "blur"]) {
  addEventListener(over, () => pressed = false, true);
}
addEventListener("pointerup", () => setTimeout(() => pressed = false), true);

/** The quota meter and the list, without taking the reader's place from them. */
export async function refreshQuietly() {
  const before = visits;
  const { href } = location;
  const answer = await load(href);
  while (pressed) await new Promise((resolve) => setTimeout(resolve, 50));
  const focused = document.activeElement;
  const typing = focused?.matches("main input:not([type=checkbox])");
  const gone = visits !== before || location.href !== href;
  if (!answer || gone || typing || dialog.open) return;
  const where = focused?.closest("tr")?.querySelector(".pick input")?.value;
  const picked = new Set(
    Array.from(document.querySelectorAll(".pick input[name]:checked"), (box) => box.value),
  );
  show(answer, { push: false, focus: false, parts: ["#room", "main"] });
  if (focused?.id && !focused.isConnected) document.getElementById(focused.id)?.focus();
  for (const box of document.querySelectorAll(".pick input[name]")) {
    if (picked.has(box.value)) box.checked = true;
    if (box.value !== where) continue;
    if (focused.matches(".pick input")) box.focus();
    else box.closest("tr").querySelector(".name a").focus();
  }
  openFolder();
}

/** Does to a part of the page what the server can't know: the reader's time zone, for one. */
function dress() {
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
    link.textContent = location.origin + link.dataset.link; // behind a proxy, the server can't know
  }
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = !navigator.clipboard;
  }
  openFolder();
  startLive(dress);
}

const dialog = document.createElement("dialog");
document.body.append(dialog);
let opener;

/** Shows the question that a page asks as a dialog. */
function ask(page) {
  const question = page.querySelector("[data-question], main > .card, .keys");
  if (!question) return false;
  if (!dialog.open) opener = document.activeElement;
  dialog.replaceChildren(question);
  dress();
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

/** Asks what a link or form leads to. */
export async function askFor(url, init) {
  const answer = await load(url, init);
  if (!answer || ask(answer.page)) return;
  if (dialog.open) dialog.close();
  if (answer.ok) return show(answer);
  say(answer.page.querySelector(".note")?.textContent ?? "That did not work.", true);
}

document.addEventListener("click", (event) => {
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  const copied = event.target.closest("[data-copy]");
  if (copied) {
    navigator.clipboard.writeText(document.getElementById(copied.dataset.copy).textContent.trim())
      .then(() => say("Copied."), () => say("The browser does not allow it.", true));
  }
  const link = event.target.closest("a[href]");
  if (!link || !plain || event.defaultPrevented || link.download || link.target) return;
  if (link.origin !== location.origin || link.getAttribute("href").startsWith("#")) return;
  if (!link.pathname.startsWith(`${root}/`)) return;
  if (/^\/(api|raw|s)\//.test(link.pathname.slice(root.length))) return;
  event.preventDefault();
  if ("dialog" in link.dataset) askFor(link.href);
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
    askFor(url, { method: "POST", body: new URLSearchParams(fields) });
  } else if (form.action.endsWith("/logout") && under()) {
    if (!confirm("Uploads are under way. Log out all the same?")) event.preventDefault();
  }
});

addEventListener("popstate", () => visit(location.href, { push: false }));

dress();
const first = document.querySelector("[data-notice]")?.dataset.notice;
if (first) {
  say(first);
  const bare = new URL(location.href);
  bare.searchParams.delete("notice");
  history.replaceState(null, "", bare);
}
if (document.querySelector(".shell")) startPanel();
