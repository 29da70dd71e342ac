/**
 * The files under the data directory: the only room that touches them.
 *
 * Invariants: nothing is opened, made or renamed but in a folder whose real path is the one that was
 * asked for (no symbolic link on the way), and no file is opened through a link. Doors can't make
 * links, so that only somebody with a login on this machine could win a race against the check.
 * An entry that is neither a file nor a folder is not served: it is left out of listings and refused by name.
 */
import { BargeError } from "../../error.ts";
import { foreignOwner, giveTo, type Owner } from "../../disk/owner.ts";
import type { Found, Listed } from "./entry.ts";
import { type Place, relative } from "../../storage/place.ts";
import { diskError } from "./trouble.ts";
import { isSuspect, withoutNames } from "./unnamed.ts";

/** An entry that no door shows: its name as it is read, and the reason. */
export type OnHidden = (name: string, type: "other" | "unnamed") => void;

export class Vault {
  /** The data directory's real path. */
  readonly root: string;
  /** Are files and folders synced before an upload is acknowledged? */
  readonly durable: boolean;
  /** The owner of new folders, if not this process. */
  readonly #owner: Owner | undefined;
  /** Folders that were looked at since the last await, and are as they should be. */
  readonly #sound = new Set<string>();

  /**
   * @param root an existing directory; in a worker, which may not look at it, its real path
   * @param durable false: skip the syncs, nothing else
   */
  constructor(root: string, durable: boolean) {
    this.root = realPath(root);
    this.durable = durable;
    this.#owner = foreignOwner(this.root);
  }

  /** Returns the entry at a place; undefined for none. @throws {BargeError} `denied` behind a link */
  find(place: Place): Found | undefined {
    if (!this.#enter(place.dir)) return undefined;
    try {
      return foundOf(Deno.lstatSync(this.#path(place)));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      if (error instanceof Deno.errors.NotADirectory) return undefined;
      throw diskError(error);
    }
  }

  /** Has a file more than one name? Then it may be one that users see. */
  hasNames(place: Place): boolean {
    if (!this.#enter(place.dir)) return false;
    try {
      return (Deno.lstatSync(this.#path(place)).nlink ?? 1) > 1;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw diskError(error);
    }
  }

  /** When it was made, in ms since 1970; undefined for nothing, or where the system does not say. */
  created(place: Place): number | undefined {
    if (!this.#enter(place.dir)) return undefined;
    try {
      return Deno.lstatSync(this.#path(place)).birthtime?.getTime();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw diskError(error);
    }
  }

  /**
   * The names in a folder that are files or folders, sorted by code unit. To sort them, all must be
   * there: names alone are held, and what they are is looked up when it is needed.
   *
   * @param only leave out the others
   * @param onHidden called for each entry that is neither
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
   * All that is in a folder, in no order, also what is never served.
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
    // Looked at first: opening a device can do things. Looked at again: a link that was laid there in
    // between leads to another file.
    const there = this.find(place);
    if (!there) throw new BargeError("not-found", "there is no such file");
    refuseUnlessFile(there);
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(this.#path(place));
    } catch (error) {
      throw diskError(error);
    }
    try {
      const found = foundOf(file.statSync());
      refuseUnlessFile(found);
      if (found.ino !== there.ino && this.find(place)?.ino !== found.ino) {
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
   * @param parents make those above it, too
   * @param before called before each folder is made; nothing has its name then. The caller syncs
   *   the folders that they are in
   * @returns whether it was made; false: it was there
   * @throws {BargeError} `no-directory` without its parent, `exists` where a file has the name
   */
  mkdir(place: Place, parents: boolean, before?: (place: Place) => void): boolean {
    if (!this.#enter(place.dir, parents)) {
      if (!parents) throw new BargeError("no-directory", "the folder above it does not exist");
      const cut = place.dir.lastIndexOf("/");
      const above = { dir: place.dir.slice(0, Math.max(0, cut)), name: place.dir.slice(cut + 1) };
      if (this.find(above)) throw noDirectory(); // a file is in its place
      this.mkdir(above, true, before);
    }
    const there = parents || before ? this.find(place) : undefined;
    if (there?.type === "dir") return false;
    if (there) throw new BargeError("exists", "a file of that name is there");
    before?.(place);
    try {
      Deno.mkdirSync(this.#path(place), { mode: 0o700 });
      giveTo(this.#owner, this.#path(place));
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw diskError(error);
      const there = this.find(place);
      if (there?.type === "dir") return false;
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
      this.#sound.clear(); // it may have been a folder
    }
  }

  /** The same, for what is surely no folder: staged bytes. @throws as {@link rename} */
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

  /** Is a folder empty, also of what is never served? */
  isEmpty(place: Place): boolean {
    if (!this.#enter(relative(place))) return true;
    for (const _ of Deno.readDirSync(this.#path(place))) return false;
    return true;
  }

  /**
   * Removes a file, if it is there; a folder stays, and anything behind a link.
   *
   * @throws {BargeError} as the system does
   */
  removeFile(place: Place): void {
    try {
      if (this.find(place)?.type === "file") Deno.removeSync(this.#path(place));
    } catch (error) {
      if (!isBehindLink(error)) throw diskError(error);
    }
  }

  /** Removes a folder, if it is there, and empty. */
  removeEmpty(place: Place): void {
    if (this.find(place)?.type !== "dir") return;
    try {
      Deno.removeSync(this.#path(place));
    } catch { /* something is in it by now */ }
    this.#sound.clear();
  }

  /** @throws {BargeError} `no-directory` when a place's folder is not there, or is none */
  needFolder(dir: string): void {
    if (!this.#enter(dir)) throw noDirectory();
  }

  /**
   * Is this folder there? What was found sound stays so until the next await: a group of commits
   * into one folder asks many times.
   *
   * @param climbing the caller looks at the folders above by itself if it is not
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
      // Not even whether there is something behind a link is told.
      const above = dir.lastIndexOf("/");
      if (above > 0 && !climbing) this.#enter(dir.slice(0, above));
      return false;
    }
    if (real !== path) throw new BargeError("denied", behindLink);
    if (this.#sound.size === 0) queueMicrotask(() => this.#sound.clear());
    this.#sound.add(dir);
    return true;
  }

  /** @throws {BargeError} `denied` for a name that leads out of its folder; a ledger may be damaged */
  #path(place: Place): string {
    if (/^\.{0,2}$|[/\0]/.test(place.name)) {
      throw new BargeError("denied", "it is not a name in a folder");
    }
    return `${this.root}/${relative(place)}`;
  }
}

/** A worker may look at the folders in the root alone, and is given its real path. */
function realPath(root: string): string {
  try {
    return Deno.realPathSync(root);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return root;
    throw error;
  }
}

/** @throws {BargeError} `exists` for a folder, `denied` for what is neither file nor folder */
function refuseUnlessFile({ type }: Found): void {
  if (type === "dir") throw new BargeError("exists", "it is a folder");
  if (type !== "file") throw new BargeError("denied", "it is not a regular file");
}

/**
 * Converts the facts of Deno to those that barge compares. Some filesystems (FUSE, 9p, CIFS) number
 * their inodes beyond 2^53, which the ledger could not give back: there a part has to do.
 */
export function foundOf(info: Deno.FileInfo): Found {
  return {
    type: info.isFile ? "file" : info.isDirectory ? "dir" : "other",
    size: info.size,
    modified: info.mtime?.getTime() ?? 0,
    ino: inode(info.ino ?? 0),
  };
}

function inode(number: number): number {
  return number % 2 ** 53;
}

const behindLink = "a symbolic link is on the way, and none is followed";

/** Was it the vault that refused, and not the system? */
export function isBehindLink(error: unknown): boolean {
  return error instanceof BargeError && error.kind === "denied" && error.message === behindLink;
}

function noDirectory(): BargeError {
  return new BargeError("no-directory", "the folder that should hold it does not exist", {
    hint: "make it with `barge mkdir -p`",
  });
}
