/** Looks up a place on disk and in the ledger. */
import type { FileRow } from "./ledger/ledger.ts";
import type { Place } from "../storage/place.ts";
import type { Found } from "./vault/entry.ts";
import { sameFile } from "./entry.ts";
import type { Parts } from "./parts.ts";

/** The entry on disk at a place, and its row in the ledger. */
export interface Seen {
  readonly found?: Found;
  readonly row?: FileRow;
}

/**
 * Returns the disk's and the ledger's facts of one moment. Where they differ, a rename may be under way in
 * another worker, so that a second look under the write lock waits for it. Only files have rows.
 */
export function look(parts: Parts, place: Place): Seen {
  const first = lookOnce(parts, place);
  return agree(first) ? first : parts.db.transaction(() => lookOnce(parts, place));
}

/**
 * The same for several names in one folder. The second look at all that differ takes the write lock once,
 * however many were put there by hand.
 *
 * @param rows the ledger's rows of these names
 */
export function lookAll(
  parts: Parts,
  dir: string,
  names: readonly string[],
  rows: ReadonlyMap<string, FileRow>,
): Seen[] {
  const seen: Seen[] = names.map((name) => ({
    found: parts.vault.find({ dir, name }),
    row: rows.get(name),
  }));
  const differing = [...seen.keys()].filter((i) => !agree(seen[i]));
  if (differing.length === 0) return seen;
  parts.db.transaction(() => {
    for (const i of differing) seen[i] = lookOnce(parts, { dir, name: names[i] });
  });
  return seen;
}

/** Looks once: right only under the write lock. */
export function lookOnce({ ledger, vault }: Parts, place: Place): Seen {
  const found = vault.find(place);
  return { found, row: found?.type === "file" ? ledger.file(place) : undefined };
}

/** Returns whether disk and ledger agree; true for anything but a file. */
function agree({ found, row }: Seen): boolean {
  return found?.type !== "file" || (row !== undefined && sameFile(row, found));
}
