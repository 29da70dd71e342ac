import type { Entry } from "../protocol/message.ts";
import type { StoredEntry } from "../storage/entry.ts";

/** Returns the entry of a file or folder under a name. */
export function entryOf(name: string, stored: StoredEntry): Entry {
  const { size, modified, ownerName, sha256 } = stored;
  const type = stored.type === "dir" ? "dir" : "file";
  return { name, type, size, modified: new Date(modified).toISOString(), owner: ownerName, sha256 };
}

/** Returns the entry of `/`, `/home` or `/public`, which storage does not list. */
export function folderEntry(name: string, modified = 0): Entry {
  const time = new Date(modified).toISOString();
  return { name, type: "dir", size: 0, modified: time, owner: null, sha256: null };
}
