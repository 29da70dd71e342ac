/** Looks at what is at a place: on disk, and in the ledger. */
import type { FileRow } from "./ledger/ledger.ts";
import type { Place } from "../storage/place.ts";
import type { Found } from "./vault/vault.ts";
import { sameFile } from "./entry.ts";
import type { Store } from "./store.ts";

/** What is on disk at a place, and what the ledger knows of it. */
export interface Seen {
  readonly found?: Found;
  readonly row?: FileRow;
}

/**
 * The disk and the ledger, of one moment: where they differ, a rename may be under way in another
 * isolate, and a second look under the write lock waits for it. Of what is no file on disk the ledger
 * is not asked.
 */
export function look(store: Store, place: Place): Seen {
  const first = lookOnce(store, place);
  return agree(first) ? first : store.db.transaction(() => lookOnce(store, place));
}

/**
 * The same for several names in one folder: the second look at all that differ takes the write lock
 * once, however many were put there by hand.
 *
 * @param rows what the ledger knows in that folder
 */
export function lookAll(
  store: Store,
  dir: string,
  names: readonly string[],
  rows: ReadonlyMap<string, FileRow>,
): Seen[] {
  const seen: Seen[] = names.map((name) => ({
    found: store.vault.find({ dir, name }),
    row: rows.get(name),
  }));
  const differing = [...seen.keys()].filter((i) => !agree(seen[i]));
  if (differing.length === 0) return seen;
  store.db.transaction(() => {
    for (const i of differing) seen[i] = lookOnce(store, { dir, name: names[i] });
  });
  return seen;
}

function lookOnce({ ledger, vault }: Store, place: Place): Seen {
  const found = vault.find(place);
  return { found, row: found?.type === "file" ? ledger.file(place) : undefined };
}

/** Returns whether disk and ledger agree; true for anything but a file. */
function agree({ found, row }: Seen): boolean {
  return found?.type !== "file" || (row !== undefined && sameFile(row, found));
}
