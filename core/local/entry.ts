/** Entries: the facts of the disk, and those of the ledger where they agree. */
import type { StoredEntry } from "../storage/entry.ts";
import type { Place } from "../storage/place.ts";
import type { Parts } from "./parts.ts";
import type { FileRow } from "./ledger/ledger.ts";
import type { Found } from "./vault/entry.ts";

/** Returns the facts of the disk and the ledger as one record. */
export function storedEntry(found: Found, row: FileRow | undefined): StoredEntry {
  const same = row !== undefined && sameFile(row, found);
  return {
    type: found.type,
    size: found.type === "dir" ? 0 : found.size,
    modified: found.modified,
    owner: row?.owner ?? null,
    ownerName: row?.ownerName ?? null,
    sha256: same ? row.sha256 : null,
    undigested: found.type !== "file" || same ? null : row ? "changed" : "added",
  };
}

/** Is this on disk what the ledger has a digest of? */
export function sameFile(row: FileRow, found: Found): boolean {
  return row.ino === found.ino && row.size === found.size && row.modified === found.modified;
}

/** Is the file on disk the one that the ledger knows there? */
export function known({ ledger, vault }: Parts, place: Place): boolean {
  const row = ledger.file(place);
  const found = row && vault.find(place);
  return found !== undefined && sameFile(row!, found);
}

/** Forgets files and folders at and below a place that the disk has not, and other files. */
export function forgetGone(parts: Parts, place: Place): void {
  if (!parts.vault.find(place)) return void parts.ledger.forget(place);
  for (const row of parts.ledger.rowsAt(place)) {
    if (!known(parts, row)) parts.ledger.forgetFile(row);
  }
  for (const row of parts.folders.below(place)) {
    if (parts.vault.find(row)?.type !== "dir") parts.folders.forget(row);
  }
}
