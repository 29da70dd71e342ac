/** The page of a folder: filter while typing, selection, keyboard shortcuts, dropped files. */
import { add } from "./panel.js";
import { chosenFiles, droppedFiles } from "./chosen_files.js";
import { notify, openDialog, visit } from "./main.js";
import { root } from "./root.js";

let filterTimer;

/** Returns the path of the shown folder; undefined on other pages. */
export function currentFolder() {
  return document.querySelector("#folder")?.dataset.path;
}

/** Prepares the controls of a folder that is shown. */
export function prepareFolder() {
  const upload = document.querySelector("#upload");
  if (upload) upload.hidden = false;
  const all = document.querySelector("[data-all]");
  if (all) all.hidden = false;
  const hint = document.querySelector("[data-keys]");
  if (hint) hint.hidden = false;
  updateSelection();
}

document.addEventListener("input", (event) => {
  if (!event.target.matches("#q")) return;
  clearTimeout(filterTimer);
  filterTimer = setTimeout(async () => {
    const { value, form } = event.target;
    await visit(`${location.pathname}?${new URLSearchParams(new FormData(form))}`, {
      focus: false,
    });
    const field = document.querySelector("#q");
    field?.focus();
    field?.setSelectionRange(value.length, value.length);
  }, 250);
});

function updateSelection() {
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
  updateSelection();
});

/** The checkbox that was clicked last; a click with Shift selects the range from there. */
let lastBox;
document.addEventListener("click", (event) => {
  const box = event.target;
  if (!box.matches?.(".pick input[name]")) return;
  const boxes = [...box.form.querySelectorAll(".pick input[name]")];
  const [a, b] = [boxes.indexOf(lastBox), boxes.indexOf(box)].sort((x, y) => x - y);
  if (event.shiftKey && a >= 0) {
    for (const other of boxes.slice(a, b)) other.checked = box.checked;
    updateSelection();
  }
  lastBox = box;
});

document.addEventListener("click", (event) => {
  if (event.target.closest("#upload")) chooseUpload();
});

/** Asks whether to upload files or a folder. */
function chooseUpload() {
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
    if (button?.value) openFilePicker(button.value === "folder");
  });
  menu.showModal();
}

function openFilePicker(folder) {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.webkitdirectory = folder;
  input.setAttribute("aria-label", folder ? "Folder to upload" : "Files to upload");
  document.body.append(input);
  const done = () => input.remove();
  input.addEventListener("cancel", done);
  input.addEventListener("change", () => {
    add(currentFolder(), chosenFiles(input.files));
    done();
  });
  input.click();
}

/* Files can be dropped anywhere on a folder's page. */
let hideTimer;
const zone = document.createElement("div");
zone.className = "drop";
zone.hidden = true;
zone.setAttribute("aria-hidden", "true");
document.body.append(zone);

function carriesFiles(event) {
  return currentFolder() !== undefined && event.dataTransfer?.types.includes("Files");
}

document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  zone.textContent = `Drop to upload to ${currentFolder().split("/").at(-1)}`;
  zone.hidden = false;
  clearTimeout(hideTimer);
  hideTimer = setTimeout(() => zone.hidden = true, 250);
});
document.addEventListener("drop", async (event) => {
  zone.hidden = true;
  if (!carriesFiles(event)) return;
  event.preventDefault();
  const dir = currentFolder();
  const files = await droppedFiles(event.dataTransfer);
  if (files.length === 0) notify("There are no files in it.", true);
  else add(dir, files);
});

const keys = [
  ["/", "filter"],
  ["u", "upload"],
  ["n", "new folder"],
  ["↑ ↓", "previous or next row"],
  ["x", "select the row"],
  ["Enter", "open"],
  ["Delete", "delete the selection"],
  ["?", "show this list"],
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
    u: () => currentFolder() && chooseUpload(),
    n: () => document.querySelector("#new-folder")?.click(),
    ArrowDown: () => moveFocus(target, 1),
    ArrowUp: () => moveFocus(target, -1),
    x: () => target.closest("tr")?.querySelector(".pick input")?.click(),
    Delete: deleteSelection,
    "?": showKeys,
  }[key];
  if (act && act() !== false) event.preventDefault();
});

function moveFocus(from, by) {
  const rows = [...document.querySelectorAll(".list tbody tr")];
  if (rows.length === 0) return false;
  const at = rows.indexOf(from.closest("tr"));
  const to = at < 0
    ? (by > 0 ? 0 : rows.length - 1)
    : Math.max(0, Math.min(rows.length - 1, at + by));
  rows[to].querySelector(".name a").focus();
}

function deleteSelection() {
  const row = document.activeElement.closest(".list tbody tr");
  const form = document.querySelector("form[data-files]:has(table)");
  if (!form) return false;
  const fields = new FormData(form);
  if (!fields.has("name") && row) fields.append("name", row.querySelector(".pick input").value);
  if (!fields.has("name")) return false;
  openDialog(`${root}/do/delete`, { method: "POST", body: new URLSearchParams(fields) });
}

function showKeys() {
  const menu = document.createElement("dialog");
  menu.setAttribute("aria-label", "Keyboard shortcuts");
  const rows = keys.map(([key, action]) => `<kbd>${key}</kbd><span>${action}</span>`).join("");
  menu.innerHTML = `<div class="card ask"><h1>Keyboard shortcuts</h1><div class="keys">${rows}</div>
    <form method="dialog" class="row end"><button class="b main">Close</button></form></div>`;
  document.body.append(menu);
  menu.addEventListener("close", () => menu.remove());
  menu.showModal();
}
