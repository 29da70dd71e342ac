/** Files that a person chose or dropped, whole folders among them: each with its path from there. */

/** @returns {{path: string, file: File}[]} of a file field */
export function picked(files) {
  return Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** The same of a drop. Has to be called at once: what was dropped is gone when the event is over. */
export async function dropped(transfer) {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return picked(transfer.files);
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(undefined)));
    if (file) found.push({ path, file });
    return;
  }
  const reader = entry.createReader();
  let empty = true;
  while (true) { // it gives them in batches, and then none
    const batch = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (batch.length === 0) break;
    empty = false;
    for (const child of batch) await walk(child, found);
  }
  if (empty) found.push({ path, file: undefined });
}
