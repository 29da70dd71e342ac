/** Lists chosen or dropped files and folders, each file with its path from the chosen folder. */

/** Returns the files of a file field. @returns {{path: string, file: File}[]} */
export function chosenFiles(files) {
  return Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/**
 * Returns the files of a drop; a file is undefined for an empty folder. Must be called synchronously:
 * the data is gone after the event.
 */
export async function droppedFiles(transfer) {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return chosenFiles(transfer.files);
  const files = [];
  for (const entry of entries) await walk(entry, files);
  return files;
}

async function walk(entry, files) {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(undefined)));
    if (file) files.push({ path, file });
    return;
  }
  const reader = entry.createReader();
  let empty = true;
  while (true) { // the reader returns batches, the last one empty
    const batch = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (batch.length === 0) break;
    empty = false;
    for (const child of batch) await walk(child, files);
  }
  if (empty) files.push({ path, file: undefined });
}
