/**
 * The tree of files and folders.
 *
 * Every implementation promises: a change is made completely or not at all, also when a process or machine
 * dies at any step; a guard runs in the step that makes the change; readers see the tree before a change or
 * after it; names come in the order of their UTF-16 code units. tests/contract/store/ checks these promises.
 */
import type { BargeError } from "../error.ts";
import type { FileContent, Reading, SmallFile } from "./content.ts";
import type { ForeignEntry, StoredEntry } from "./entry.ts";
import type { Place } from "./place.ts";
import type { PartialUpload } from "./uploads.ts";
import type { Guard } from "./view.ts";

/** An entry with its name. */
export interface NamedEntry {
  readonly name: string;
  readonly entry: StoredEntry;
}

/** Called for an entry that no door shows, with the reason: see core/session/omitted.ts. */
export type OnHidden = (name: string, type: "other" | "unnamed") => void;

/** The entry at a place, and an account's partial upload to it. */
export interface Look {
  readonly entry: StoredEntry | undefined;
  readonly partial: Pick<PartialUpload, "offset" | "size"> | undefined;
}

/** A folder to make. */
export interface NewFolder {
  /** The id of the account whose entry it will be. */
  readonly account: number;
  /** Whether to make the folders above it, too. */
  readonly parents: boolean;
  /**
   * The time that it gets, in ms since 1970; null: now. With {@link parents}, an existing folder gets it, too;
   * null does not change that.
   */
  readonly modified: number | null;
}

export interface Tree {
  /** Whether files are kept in parts whose digests are compared as they are read: see {@link Reading}. */
  readonly comparesParts: boolean;

  /** Runs a guard at once, so that a change can be refused early. The change itself runs it again. */
  check<T>(guard: Guard<T>): Promise<T>;

  /** Returns the file or folder at a place; undefined when the place is free. */
  entry(place: Place): Promise<StoredEntry | undefined>;
  /** Returns the entry at a place, and the account's partial upload to it. */
  look(place: Place, account: number): Promise<Look>;
  /** Returns the entries of some names in a folder, in the order of the names; free names are omitted. */
  named(dir: string, names: readonly string[]): Promise<NamedEntry[]>;
  /**
   * Yields the files and folders in a folder, a page at a time, sorted by name.
   *
   * @throws {BargeError} `not-found`, `denied`
   */
  pages(place: Place, onHidden?: OnHidden): AsyncIterable<NamedEntry[]>;
  /** Returns the time when an entry was made, in ms since 1970; undefined where it is not known. */
  created(place: Place): Promise<number | undefined>;
  /** Finds the first entry in or below a folder, other than folders, that is not charged to an account. */
  foreign(place: Place, account: number): Promise<ForeignEntry | undefined>;
  /** Finds an entry in or below a folder whose name can't be shown. @returns its path in the folder */
  unnamed(place: Place): Promise<string | undefined>;

  /**
   * Opens a file, from an offset in bytes.
   *
   * @throws {BargeError} `not-found`, `denied`, `exists` (a folder), `usage` (offset beyond the end)
   */
  open(place: Place, offset: number, reading?: Reading): Promise<FileContent>;
  /**
   * Reads small files, each of which succeeds or fails by itself. If a file has no digest, a rename may be
   * under way: see {@link readAgain}.
   *
   * @param maxBytes the most bytes of all of them together
   * @returns the files in the order of their places; undefined for a file that has no room beside those before
   *   it; the error of a file that can't be read, as {@link open} throws it
   */
  readSmall(
    places: readonly Place[],
    maxBytes: number,
  ): Promise<(SmallFile | BargeError | undefined)[]>;
  /**
   * Reads small files again that had no digest, in one step in which no rename is under way.
   *
   * @returns the files as they are now; a file that can't be read, or has grown, is returned as it was given
   */
  readAgain(files: readonly (readonly [Place, SmallFile])[]): Promise<SmallFile[]>;
  /**
   * Reads a file and computes its digest.
   *
   * @returns the digest in hex, and the number of bytes
   * @throws {BargeError} as {@link open}
   */
  digest(
    place: Place,
    algorithm: "sha256" | "md5",
    signal?: AbortSignal,
  ): Promise<{ readonly digest: string; readonly size: number }>;

  /**
   * Makes a folder.
   *
   * @returns false if the folder existed
   * @throws {BargeError} as the guard; `no-directory`; `exists` where a file has the name; `over-quota`
   */
  mkdir(place: Place, folder: NewFolder, guard: Guard): Promise<boolean>;
  /**
   * Renames a file or folder. Partial uploads into a folder follow it; those under way end, and those
   * of accounts that can't reach the new place are dropped.
   *
   * @param account the id of the account that renames
   * @throws {BargeError} as the guard; `not-found`, `no-directory`, `exists`; `over-quota` when an upload
   *   under way will replace the file, or the account's properties have no room for a longer path
   */
  move(from: Place, to: Place, account: number, guard: Guard): Promise<void>;
  /**
   * Removes a file, or a folder with all that is in it, and with the uploads into it.
   *
   * @param account the id of the account whose partial upload to the place is dropped, too
   * @returns the number of files that were charged to accounts
   * @throws {BargeError} as the guard; `not-found`
   */
  remove(place: Place, account: number, guard: Guard): Promise<number>;
  /**
   * Sets the time of a file or folder, in ms since 1970.
   *
   * @returns the time as storage keeps it
   * @throws {BargeError} as the guard; `not-found`
   */
  setModified(place: Place, modified: number, guard: Guard): Promise<number>;
}
