/** A file or folder as storage knows it. */

/**
 * The reason why a file has no stored digest: it was put among the server's files by hand, or changed
 * there since it was written through a door. `barge verify --repair` enters such files in the ledger.
 */
export type Undigested = "added" | "changed";

/** A file or folder. `other` is a link, socket, pipe or device, which no door shows. */
export interface StoredEntry {
  readonly type: "file" | "dir" | "other";
  /** Bytes; 0 for a folder. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** The id and the name of the account that is charged for a file; null for none. */
  readonly owner: number | null;
  readonly ownerName: string | null;
  /** The digest of a file; null where none is stored. */
  readonly sha256: string | null;
  /** The reason why a file has no digest; null for one that has, and for folders. */
  readonly undigested: Undigested | null;
}

/** An entry that is charged to another account, or to none. */
export type ForeignEntry = Pick<StoredEntry, "ownerName"> & { readonly name: string };
