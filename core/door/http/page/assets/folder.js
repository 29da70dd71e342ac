/** A folder at work: filtering as one types, selecting, keys, files that are dropped. */
import { add } from "./panel.js";
import { dropped, picked } from "./chosen_files.js";
import { askFor, say, visit } from "./main.js";
import { root } from "./root.js";

let typing;

/** Where one is: the path of the folder that is shown; undefined elsewhere. */
export function here() {
  return document.querySelector("#folder")?.dataset.path;
}

/** Called when a folder has come to be shown. */
export function openFolder() {
  const upload = document.querySelector("#upload");
  if (upload) upload.hidden = false;
  const all = document.querySelector("[data-all]");
  if (all) all.hidden = false;
  const hint = document.querySelector("[data-keys]");
  if (hint) hint.hidden = false;
  count();
}

document.addEventListener("input", (event) => {
  if (!event.target.matches("#q")) return;
  clearTimeout(typing);
  typing = setTimeout(async () => {
    const { value, form } = event.target;
    await visit(`${location.pathname}?${new URLSearchParams(new FormData(form))}`, {
      focus: false,
    });
    const field = document.querySelector("#q");
    field?.focus();
    field?.setSelectionRange(value.length, value.length);
  }, 250);
});

function count() {
  const form = document.querySelector("form[data-files]:has(table)");
  if (!form) return;
  const boxes = [...form.querySelectorAll(".pick input[name]")];
  const n = boxes.filter((box) => box.checked).length;
  form.querySelector("[data-count]").textContent = `${n} selected`;
  form.querySelector("[data-verb=rename]").disabled = n !== 1;
  const all = form.querySelector("[data-all]");
  all.checked = n > 0 && n === boxes.length;
  all.indeterminate = n > 0 && n < boxes.length;
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) {
    for (const box of event.target.form.querySelectorAll(".pick input[name]")) {
      box.checked = event.target.checked;
    }
  }
  count();
});

/** A click with shift selects all in between. */
let last;
document.addEventListener("click", (event) => {
  const box = event.target;
  if (!box.matches?.(".pick input[name]")) return;
  const boxes = [...box.form.querySelectorAll(".pick input[name]")];
  const [a, b] = [boxes.indexOf(last), boxes.indexOf(box)].sort((x, y) => x - y);
  if (event.shiftKey && a >= 0) {
    for (const other of boxes.slice(a, b)) other.checked = box.checked;
    count();
  }
  last = box;
});

document.addEventListener("click", (event) => {
  if (event.target.closest("#upload")) choose();
});

/** Has the reader choose files; with the keyboard too. */
function choose() {
  const menu = document.createElement("dialog");
  menu.setAttribute("aria-label", "Upload");
  menu.innerHTML = `<div class="card ask"><h1>Upload</h1>
    <p class="soft">Or drop files and folders anywhere on the page.</p>
    <div class="row"><button type="button" class="b main grow" value="files">Choose files</button>
    <button type="button" class="b grow" value="folder">Choose a folder</button></div>
    <div class="row end"><button type="button" class="b flat" value="">Cancel</button></div></div>`;
  document.body.append(menu);
  menu.addEventListener("close", () => menu.remove());
  menu.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button && event.target !== menu) return;
    menu.close();
    if (button?.value) pick(button.value === "folder");
  });
  menu.showModal();
}

function pick(folder) {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.webkitdirectory = folder;
  input.setAttribute("aria-label", folder ? "Folder to upload" : "Files to upload");
  document.body.append(input);
  const done = () => input.remove();
  input.addEventListener("cancel", done);
  input.addEventListener("change", () => {
    add(here(), picked(input.files));
    done();
  });
  input.click();
}

/* Dropping, anywhere on a folder's page. */
let over;
const zone = document.createElement("div");
zone.className = "drop";
zone.hidden = true;
zone.setAttribute("aria-hidden", "true");
document.body.append(zone);

function carriesFiles(event) {
  return here() !== undefined && event.dataTransfer?.types.includes("Files");
}

document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  zone.textContent = `Drop to upload to ${here().split("/").at(-1)}`;
  zone.hidden = false;
  clearTimeout(over);
  over = setTimeout(() => zone.hidden = true, 250);
});
document.addEventListener("drop", async (event) => {
  zone.hidden = true;
  if (!carriesFiles(event)) return;
  event.preventDefault();
  const dir = here();
  const files = await dropped(event.dataTransfer);
  if (files.length === 0) say("There is no file in that.", true);
  else add(dir, files);
});

/* Keys: / u n, arrows, Delete, ? */
const keys = [
  ["/", "filter"],
  ["u", "upload"],
  ["n", "new folder"],
  ["↑ ↓", "from row to row"],
  [
    "x",
    "select the row",
  ],
  ["Enter", "open"],
  ["Delete", "delete what is selected"],
  ["?", "this list"],
];

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) {
    return;
  }
  if (target.matches("input:not([type=checkbox]), textarea, select")) {
    if (key === "Escape") target.blur();
    return;
  }
  const act = {
    "/": () => document.querySelector("#q")?.focus(),
    u: () => here() && choose(),
    n: () => document.querySelector("#new-folder")?.click(),
    ArrowDown: () => step(target, 1),
    ArrowUp: () => step(target, -1),
    x: () => target.closest("tr")?.querySelector(".pick input")?.click(),
    Delete: remove,
    "?": help,
  }[key];
  if (act && act() !== false) event.preventDefault();
});

function step(from, by) {
  const rows = [...document.querySelectorAll(".list tbody tr")];
  if (rows.length === 0) return false;
  const at = rows.indexOf(from.closest("tr"));
  const to = at < 0
    ? (by > 0 ? 0 : rows.length - 1)
    : Math.max(0, Math.min(rows.length - 1, at + by));
  rows[to].querySelector(".name a").focus();
}

function remove() {
  const row = document.activeElement.closest(".list tbody tr");
  const form = document.querySelector("form[data-files]:has(table)");
  if (!form) return false;
  const fields = new FormData(form);
  if (!fields.has("name") && row) fields.append("name", row.querySelector(".pick input").value);
  if (!fields.has("name")) return false;
  askFor(`${root}/do/delete`, { method: "POST", body: new URLSearchParams(fields) });
}

function help() {
  const menu = document.createElement("dialog");
  menu.setAttribute("aria-label", "Keys");
  const rows = keys.map(([key, what]) => `<kbd>${key}</kbd><span>${what}</span>`).join("");
  menu.innerHTML = `<div class="card ask"><h1>Keys</h1><div class="keys">${rows}</div>
    <form method="dialog" class="row end"><button class="b main">Close</button></form></div>`;
  document.body.append(menu);
  menu.addEventListener("close", () => menu.remove());
  menu.showModal();
}
