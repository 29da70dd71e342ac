/**
 * The files under the data directory: only the code in this folder opens, makes or renames them.
 *
 * Invariants: nothing is opened, made or renamed except in a folder whose real path is the given one
 * (no symbolic link on the way), and no file is opened through a link. Doors can't make links, so
 * that only a user of this machine could win a race against the check. An entry that is neither a
 * file nor a folder is left out of listings and refused by name.
 */
import { existsSync } from "node:fs";
import { foreignOwner, giveTo, type Owner } from "../../disk/owner.ts";
import { BargeError } from "../../error.ts";
import type { StoredEntry } from "../../storage/entry.ts";
import { folderOf, type Place, relative } from "../../storage/place.ts";
import type { OnHidden } from "../../storage/tree.ts";
import { diskError } from "./trouble.ts";
import { isSuspect, type Listed, withoutNames } from "./unnamed.ts";

/** The facts of an entry on disk. */
export interface Found extends Pick<StoredEntry, "type" | "size" | "modified"> {
  readonly ino: number;
}

/** The size of a folder with some hundred names, on most file systems. */
const smallFolderBytes = 16 * 1024;
/** More names than fit into such a folder where its size is that of its entries, as on ext4, xfs and btrfs. */
const smallFolderNames = smallFolderBytes / 12;

export class Vault {
  /** The data directory's real path. */
  readonly root: string;
  /** Whether files and folders are synced before an upload is acknowledged. */
  readonly durable: boolean;
  /** The owner of new folders, if not this process. */
  readonly #owner: Owner | undefined;
  /** Folders that were checked since the last await. */
  readonly #sound = new Set<string>();
  /** The names in folders that were read since the last await. */
  readonly #listed = new Map<string, ReadonlySet<string>>();
  /** Whether the size of a folder tells that it is small. */
  #sizesTell = true;

  /**
   * @param root an existing directory; in a worker, which may not read it, its real path
   * @param durable false: skip the syncs
   */
  constructor(root: string, durable: boolean) {
    this.root = realPath(root);
    this.durable = durable;
    this.#owner = foreignOwner(this.root);
  }

  /** Returns the entry at a place; undefined for none. @throws {BargeError} `denied` behind a link */
  find(place: Place): Found | undefined {
    const info = this.#stat(place);
    return info && foundOf(info);
  }

  /** Returns whether a file has another name, by a hard link. */
  hasHardLinks(place: Place): boolean {
    return (this.#stat(place)?.nlink ?? 1) > 1;
  }

  /** Returns the time when an entry was made, in ms since 1970; undefined where it is not known. */
  created(place: Place): number | undefined {
    return this.#stat(place)?.birthtime?.getTime();
  }

  /**
   * Reads the names in a small folder. Until the next await, a look at a free name there then needs no
   * exception, which takes longer than the look. A folder that can't be read is not listed: the looks
   * report the reason. None is listed once a size was found to say nothing of the number of names.
   */
  list(dir: string): void {
    const path = `${this.root}/${dir}`;
    try {
      if (!this.#sizesTell || !this.#enter(dir)) return;
      if (Deno.lstatSync(path).size > smallFolderBytes) return;
      const names = new Set(Iterator.from(Deno.readDirSync(path)).map(({ name }) => name));
      this.#sizesTell = names.size <= smallFolderNames;
      this.#listed.set(dir, names);
    } catch { /* not listed */ }
  }

  /** Returns whether a name in a listed folder is free. */
  #isFree(place: Place): boolean {
    // The list has links that lead nowhere, `existsSync` names that differ only in case.
    const names = this.#listed.get(place.dir);
    return names !== undefined && !names.has(place.name) && !existsSync(this.#path(place));
  }

  #stat(place: Place): Deno.FileInfo | undefined {
    if (!this.#enter(place.dir) || this.#isFree(place)) return undefined;
    try {
      return Deno.lstatSync(this.#path(place));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      if (error instanceof Deno.errors.NotADirectory) return undefined;
      throw diskError(error);
    }
  }

  /**
   * Returns the names of the files and folders in a folder, sorted by code unit.
   *
   * @param only return only files, or only folders
   * @param onHidden called for each entry that is neither a file nor a folder
   * @throws {BargeError} `not-found`, `denied`
   */
  async names(place: Place, only?: "file" | "dir", onHidden?: OnHidden): Promise<string[]> {
    const names: string[] = [];
    await this.#read(place, (name, type) => {
      if (type === "other" || type === "unnamed") onHidden?.(name, type);
      else if (only === undefined || type === only) names.push(name);
    });
    return names.sort();
  }

  /**
   * Returns all entries of a folder, in no order, also those that no door shows.
   *
   * @throws {BargeError} `not-found`, `denied`
   */
  async entries(place: Place): Promise<Listed[]> {
    const entries: Listed[] = [];
    await this.#read(place, (name, type) => void entries.push({ name, type }));
    return entries;
  }

  async #read(place: Place, each: (name: string, type: Listed["type"]) => void): Promise<void> {
    const folder = relative(place);
    if (!this.#enter(folder)) throw new BargeError("not-found", "there is no such folder");
    const suspects: Listed[] = [];
    try {
      for await (const { name, isFile, isDirectory } of Deno.readDir(`${this.root}/${folder}`)) {
        const type = isFile ? "file" : isDirectory ? "dir" : "other";
        if (isSuspect(name)) suspects.push({ name, type });
        else each(name, type);
      }
    } catch (error) {
      throw diskError(error);
    }
    const typeOf = (name: string) => this.find({ dir: folder, name })?.type;
    for (const { name, type } of withoutNames(suspects, typeOf)) each(name, type);
  }

  /**
   * Opens a file for reading, never through a link.
   *
   * @throws {BargeError} `not-found`, `denied`, `exists` (it is a folder)
   */
  open(place: Place): { file: Deno.FsFile; found: Found } {
    // The first look keeps a device from being opened, which could have effects. The second look finds an
    // entry that was put there in between.
    const first = this.#stat(place);
    if (!first) throw new BargeError("not-found", "there is no such file");
    refuseUnlessFile(foundOf(first));
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(this.#path(place));
    } catch (error) {
      throw diskError(error);
    }
    try {
      // A confined runtime resolves the path again for each `file.statSync()`, which takes longer than a look.
      if (isUnchanged(first, this.#stat(place))) return { file, found: foundOf(first) };
      const found = foundOf(file.statSync());
      refuseUnlessFile(found);
      if (found.ino !== foundOf(first).ino && this.find(place)?.ino !== found.ino) {
        throw new BargeError("denied", "it is not a regular file");
      }
      return { file, found };
    } catch (error) {
      file.close();
      throw diskError(error);
    }
  }

  /**
   * Makes a folder.
   *
   * @param parents make the folders above it, too
   * @param before called before each folder is made, while its name is free. The caller syncs the
   *   folders that they are in
   * @returns false if the folder existed
   * @throws {BargeError} `no-directory` without its parent, `exists` where a file has the name
   */
  mkdir(place: Place, parents: boolean, before?: (place: Place) => void): boolean {
    if (!this.#enter(place.dir, parents)) {
      if (!parents) throw new BargeError("no-directory", "the folder above it does not exist");
      const above = folderOf(place);
      if (this.find(above)) throw noDirectory(); // it is a file
      this.mkdir(above, true, before);
    }
    const existing = parents || before ? this.find(place) : undefined;
    if (existing?.type === "dir") return false;
    if (existing) throw new BargeError("exists", "a file of that name is there");
    before?.(place);
    try {
      Deno.mkdirSync(this.#path(place), { mode: 0o700 });
      giveTo(this.#owner, this.#path(place));
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw diskError(error);
      if (this.find(place)?.type === "dir") return false;
      throw new BargeError("exists", "a file of that name is there", { cause: error });
    }
    if (!before) this.sync(place.dir);
    return true;
  }

  /**
   * Renames a file or folder; a file may replace a file. The caller syncs both folders.
   *
   * @throws {BargeError} `not-found`, `no-directory`, `exists`
   */
  rename(from: Place, to: Place): void {
    try {
      this.renameFile(from, to);
    } finally {
      this.#forget(); // the entry may be a folder
    }
  }

  /** Renames an entry that can't be a folder. @throws as {@link rename} */
  renameFile(from: Place, to: Place): void {
    if (!this.#enter(from.dir)) throw new BargeError("not-found", "there is no such file");
    if (!this.#enter(to.dir)) throw noDirectory();
    try {
      Deno.renameSync(this.#path(from), this.#path(to));
    } catch (error) {
      throw diskError(error);
    }
  }

  /** Sets a file's or folder's modification time, in ms since 1970. */
  touch(place: Place, modified: number): void {
    if (!this.#enter(place.dir)) throw new BargeError("not-found", "there is no such file");
    const time = new Date(modified);
    try {
      Deno.utimeSync(this.#path(place), time, time);
    } catch (error) {
      throw diskError(error);
    }
  }

  /** Makes a folder's names durable. */
  sync(dir: string): void {
    if (!this.durable) return;
    try {
      using folder = Deno.openSync(`${this.root}/${dir}`);
      folder.syncSync();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return; // gone, with the names in it
      throw diskError(error, { op: "sync" });
    }
  }

  /** Returns whether a folder has no entries, not even ones that no door shows. */
  isEmpty(place: Place): boolean {
    if (!this.#enter(relative(place))) return true;
    for (const _ of Deno.readDirSync(this.#path(place))) return false;
    return true;
  }

  /** Removes a file, if it exists; not a folder, and nothing behind a link. @throws {BargeError} as the disk does */
  removeFile(place: Place): void {
    try {
      if (this.find(place)?.type === "file") Deno.removeSync(this.#path(place));
    } catch (error) {
      if (!isBehindLink(error)) throw diskError(error);
    }
  }

  /** Removes a folder, if it exists and is empty. */
  removeEmpty(place: Place): void {
    if (this.find(place)?.type !== "dir") return;
    try {
      Deno.removeSync(this.#path(place));
    } catch { /* it is not empty */ }
    this.#forget();
  }

  /** Checks that a folder exists. @throws {BargeError} `no-directory` if it does not */
  needFolder(dir: string): void {
    if (!this.#enter(dir)) throw noDirectory();
  }

  /**
   * Returns whether a folder exists. A result is kept until the next await, since a group of commits
   * checks one folder many times.
   *
   * @param climbing if the folder does not exist, the caller checks the folders above it
   * @throws {BargeError} `denied` when a link is on the way to it
   */
  #enter(dir: string, climbing = false): boolean {
    if (dir === "" || this.#sound.has(dir)) return true;
    const path = `${this.root}/${dir}`;
    let real: string;
    try {
      real = Deno.realPathSync(path);
      // A dot at the end would not help: a confined runtime removes it before the look-up.
      if (real === path && !Deno.lstatSync(path).isDirectory) throw new Deno.errors.NotADirectory();
    } catch (error) {
      const gone = error instanceof Deno.errors.NotFound;
      if (!gone && !(error instanceof Deno.errors.NotADirectory)) throw diskError(error);
      // Behind a link, the error must not depend on whether something is there.
      const above = dir.lastIndexOf("/");
      if (above > 0 && !climbing) this.#enter(dir.slice(0, above));
      return false;
    }
    if (real !== path) throw new BargeError("denied", behindLink);
    if (this.#sound.size === 0) queueMicrotask(() => this.#forget());
    this.#sound.add(dir);
    return true;
  }

  #forget(): void {
    this.#sound.clear();
    this.#listed.clear();
  }

  /** Returns the path on disk. @throws {BargeError} `denied` for a damaged name that leads out of its folder */
  #path(place: Place): string {
    if (/^\.{0,2}$|[/\0]/.test(place.name)) {
      throw new BargeError("denied", "it is not a name in a folder");
    }
    return `${this.root}/${relative(place)}`;
  }
}

/** Returns the real path of the root. A worker may not read the root, and has its real path already. */
function realPath(root: string): string {
  try {
    return Deno.realPathSync(root);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return root;
    throw error;
  }
}

/** Refuses all but files. @throws {BargeError} `exists` for a folder, `denied` for any other entry */
function refuseUnlessFile({ type }: Found): void {
  if (type === "dir") throw new BargeError("exists", "it is a folder");
  if (type !== "file") throw new BargeError("denied", "it is not a regular file");
}

/**
 * Returns the facts that barge compares. Some filesystems (FUSE, 9p, CIFS) have inode numbers beyond
 * 2^53, which the ledger can't keep: of such a number, the lower bits are used.
 */
export function foundOf(info: Deno.FileInfo): Found {
  return {
    type: info.isFile ? "file" : info.isDirectory ? "dir" : "other",
    size: info.size,
    modified: info.mtime?.getTime() ?? 0,
    ino: (info.ino ?? 0) % 2 ** 53,
  };
}

/** Returns whether two looks at a name found the same file, with nothing else at that name in between. */
function isUnchanged(first: Deno.FileInfo, second: Deno.FileInfo | undefined): boolean {
  return second !== undefined && first.ino === second.ino && first.dev === second.dev &&
    first.size === second.size && Number(first.mtime) === Number(second.mtime) &&
    Number(first.ctime) === Number(second.ctime);
}

const behindLink = "a symbolic link is on the way, and none is followed";

/** Returns whether an error is the vault's refusal of a link. */
export function isBehindLink(error: unknown): boolean {
  return error instanceof BargeError && error.kind === "denied" && error.message === behindLink;
}

function noDirectory(): BargeError {
  return new BargeError("no-directory", "the folder that should hold it does not exist", {
    hint: "make it with `barge mkdir -p`",
  });
}
