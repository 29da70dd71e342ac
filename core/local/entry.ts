/** Looks up entries: facts from the disk, and facts from the ledger where the two agree. */
import type { StoredEntry } from "../storage/entry.ts";
import type { Place } from "../storage/place.ts";
import type { NamedEntry } from "../storage/tree.ts";
import type { FileRow } from "./ledger/ledger.ts";
import type { Parts } from "./parts.ts";
import type { Found } from "./vault/vault.ts";

/**
 * Looks up a place. Where disk and ledger differ, a rename may be under way in another worker: a
 * second look under the write lock waits for it.
 */
export function look(parts: Parts, place: Place): StoredEntry | undefined {
  const entry = lookOnce(parts, place);
  return entry?.undigested ? parts.db.transaction(() => lookOnce(parts, place)) : entry;
}

/** Looks up some names in a folder as {@link look} does, and takes the write lock at most once. */
export function lookAll(parts: Parts, dir: string, names: readonly string[]): NamedEntry[] {
  const { db, ledger, vault } = parts;
  const rows = ledger.named(dir, names);
  const entries = names.map((name) => storedEntry(vault.find({ dir, name }), rows.get(name)));
  const unsure = entries.keys().filter((i) => entries[i]?.undigested).toArray();
  if (unsure.length > 0) {
    db.transaction(() => {
      for (const i of unsure) entries[i] = lookOnce(parts, { dir, name: names[i] });
    });
  }
  return names.flatMap((name, i) => entries[i] ? [{ name, entry: entries[i] }] : []);
}

/** Looks up a place once. The result is certain only under the write lock. */
export function lookOnce({ ledger, vault }: Parts, place: Place): StoredEntry | undefined {
  const found = vault.find(place);
  return storedEntry(found, found?.type === "file" ? ledger.file(place) : undefined);
}

/** Returns the entry of a file or folder. @param row the ledger's row of that name */
function storedEntry(found: Found | undefined, row: FileRow | undefined): StoredEntry | undefined {
  if (!found) return undefined;
  const { type, size, modified } = found;
  if (type !== "file") row = undefined;
  const same = row !== undefined && sameFile(row, found);
  return {
    type,
    size: type === "dir" ? 0 : size,
    modified,
    owner: row?.owner ?? null,
    ownerName: row?.ownerName ?? null,
    sha256: same ? row!.sha256 : null,
    undigested: type !== "file" || same ? null : row ? "changed" : "added",
  };
}

/** Returns whether a row describes the file on disk, so that the row's digest is that of the file. */
export function sameFile(row: FileRow, found: Found): boolean {
  return row.ino === found.ino && row.size === found.size && row.modified === found.modified;
}

/** Returns whether the ledger's row at a place describes the file there. */
export function known({ ledger, vault }: Parts, place: Place): boolean {
  const row = ledger.file(place);
  const found = row && vault.find(place);
  return found !== undefined && sameFile(row!, found);
}

/** Removes the rows at and below a place whose file or folder is gone from disk, or is another one. */
export function forgetGone(parts: Parts, place: Place): void {
  if (!parts.vault.find(place)) return void parts.ledger.forget(place);
  for (const row of parts.ledger.rowsAt(place)) {
    if (!known(parts, row)) parts.ledger.forgetFile(row);
  }
  for (const row of parts.folders.below(place)) {
    if (parts.vault.find(row)?.type !== "dir") parts.folders.forget(row);
  }
}
