/** Compares a folder's row with the disk: part of reconcile.ts. */
import { folderOf, type Place } from "../storage/place.ts";
import { isBehindLink } from "../local/vault/vault.ts";
import type { Store } from "../local/store.ts";

interface FolderDifference {
  readonly kind: "missing" | "unknown";
  readonly what: string;
}

/**
 * Compares a folder's row with the disk, under the write lock where they differ.
 *
 * @param dir below the data directory
 * @param repair changes the row
 * @returns undefined where they agree, and for the folders that every account has
 */
export function compareFolder(
  store: Store,
  dir: string,
  repair: boolean,
): FolderDifference | undefined {
  if (/^(homes(\/[^/]*)?|public)$/.test(dir)) return undefined;
  const place = folderOf({ dir, name: "" });
  if (!difference(store, place)) return undefined;
  return store.db.transaction(() => {
    const wrong = difference(store, place);
    if (wrong && repair) {
      if (wrong.kind === "missing") store.folders.forget(place);
      else store.folders.enter({ ...place, owner: homeOwner(store, dir) });
    }
    return wrong;
  });
}

function difference(store: Store, place: Place): FolderDifference | undefined {
  const row = store.folders.find(place);
  if (unlessBehindLink(() => store.vault.find(place))?.type !== "dir") {
    return row && { kind: "missing", what: "a folder in the ledger, and not on disk" };
  }
  if (!row) return { kind: "unknown", what: "a folder on disk, and not in the ledger" };
  if (row.owner !== null || homeOwner(store, place.dir) === null) return undefined;
  return { kind: "unknown", what: "a folder that is no account's entry" };
}

/** Looks an entry up. @returns undefined for an entry behind a link, which belongs to no account */
export function unlessBehindLink<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (isBehindLink(error)) return undefined;
    throw error;
  }
}

/** Returns the id of the account whose home a folder is in; files put there by hand are charged to it. */
export function homeOwner(store: Pick<Store, "accounts">, dir: string): number | null {
  const name = /^homes\/([^/]+)/.exec(dir)?.[1];
  return (name && store.accounts.find(name)?.id) || null;
}
