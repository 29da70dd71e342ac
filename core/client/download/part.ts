/**
 * A download's temporary file, beside its target: `.NAME.DIGEST.part`, so that the next run finds
 * what is there of the very same content, and no other.
 *
 * Why in this order: the bytes are synced before the rename, so that no crash leaves a target of the
 * right name and the wrong length; the old file stays until the rename, which is one step. The part
 * is locked while it is written: of two runs at once, the second takes a name of its own.
 */
import { BargeError, typed } from "../../error.ts";
import { syncSmall } from "../../net/sync_file.ts";
import type { Folders } from "./folders.ts";
import { baseName, join, parentOf } from "../path.ts";

const encoder = new TextEncoder();
/** A name's limit in bytes, on every file system that matters. */
const longest = 255;
const tagLength = 16;

/**
 * What all parts of a target begin with: its name, shortened so that the whole fits.
 *
 * @param name the target's
 *
 * @example
 * ```ts
 * import { partPrefix } from "./part.ts";
 * if (partPrefix("a.tar") !== ".a.tar.") throw new Error();
 * if (new TextEncoder().encode(partPrefix("é".repeat(127))).length > 255 - 21) throw new Error();
 * ```
 */
export function partPrefix(name: string): string {
  const room = longest - tagLength - "..".length - ".part".length;
  if (name.length * 3 <= room) return `.${name}.`;
  const bytes = encoder.encode(name);
  if (bytes.length <= room) return `.${name}.`;
  let end = room;
  while ((bytes[end] & 0xc0) === 0x80) end--;
  return `.${new TextDecoder().decode(bytes.subarray(0, end))}.`;
}

export class Part {
  readonly path: string;
  readonly file: Deno.FsFile;
  /** Bytes that were there when it was opened. */
  readonly offset: number;
  readonly #target: string;
  #open = true;

  private constructor(
    target: string,
    path: string,
    file: Deno.FsFile,
    offset: number,
  ) {
    this.#target = target;
    this.path = path;
    this.file = file;
    this.offset = offset;
  }

  /**
   * Opens the part of a target: the one that an earlier run left, or a new one.
   *
   * @param target the local path that the file is to have
   * @param sha256 of the content; null: what is there can't be told to be of the same
   * @param folders spares a look at what is not there
   * @throws {BargeError} `exists` for a folder, `usage` for what is no file, `no-directory`, or
   *   what the system says
   */
  static open(target: string, sha256: string | null, folders: Folders): Part {
    const folder = parentOf(target);
    const name = baseName(target);
    const mode = folders.lacks(folder, name) ? undefined : check(target);
    const prefix = partPrefix(name);
    const tag = sha256?.slice(0, tagLength) ?? random();
    try {
      const path = join(folder, `${prefix}${tag}.part`);
      const found = create(path) ?? reopen(path);
      if (found) {
        // Who made the old file private meant the name, not the inode.
        if (mode !== undefined) Deno.chmodSync(path, mode);
        return new Part(target, path, found.file, found.offset);
      }
      const own = join(folder, `${prefix}${random()}.part`);
      const made = create(own);
      if (!made) throw new BargeError("exists", "its name is taken", { path: own });
      if (mode !== undefined) Deno.chmodSync(own, mode);
      return new Part(target, own, made.file, 0);
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
      throw new BargeError("no-directory", "there is no such folder", { path: folder, cause });
    }
  }

  /**
   * Syncs, and gives the file its name. After a failure the part is still there, and still open.
   *
   * @param modified the time that it is to have
   * @param small are there so few bytes that a sync may be over at once?
   */
  async commit(modified: Date, small = false): Promise<void> {
    try {
      await (small ? syncSmall(this.file) : this.file.sync());
      this.file.utimeSync(new Date(), modified);
      Deno.renameSync(this.path, this.#target);
    } catch (cause) {
      throw typed(cause, { path: this.#target });
    }
    this.#close();
  }

  /** Starts over. */
  restart(): void {
    this.file.truncateSync(0);
    this.file.seekSync(0, Deno.SeekMode.Start);
  }

  /** Leaves it for the next run, if there is anything in it. */
  keep(): void {
    if (!this.#open) return;
    if (this.file.statSync().size === 0) this.discard();
    else this.#close();
  }

  /** Removes it. */
  discard(): void {
    if (!this.#open) return;
    try {
      Deno.removeSync(this.path);
    } catch { /* it is gone, or can't be helped */ }
    this.#close();
  }

  #close(): void {
    this.#open = false;
    this.file.close();
  }
}

/** Removes what earlier runs left of other contents of a file that was just written. */
export function removeStale(target: string, folders: Folders): void {
  const folder = parentOf(target);
  const prefix = partPrefix(baseName(target));
  for (const name of folders.parts(folder)) {
    if (name.length !== prefix.length + tagLength + ".part".length) continue;
    if (name.startsWith(prefix)) drop(join(folder, name));
  }
}

/** Removes a part that nobody is writing to. */
function drop(path: string): void {
  const found = reopen(path);
  if (!found) return;
  found.file.close();
  try {
    Deno.removeSync(path);
  } catch { /* it is gone, or can't be helped */ }
}

/**
 * @returns the permissions of the file that is there, if there is one, and there are such things
 * @throws {BargeError} when a file can't be put there
 */
function check(target: string): number | undefined {
  const facts = stat(target);
  if (facts?.isDirectory) throw new BargeError("exists", "it is a folder", { path: target });
  if (facts && !facts.isFile) {
    throw new BargeError("usage", "it is neither a file nor a folder", {
      path: target,
      hint: "use - for standard output",
    });
  }
  return facts?.mode && Deno.build.os !== "windows" ? facts.mode & 0o777 : undefined;
}

function create(path: string): { file: Deno.FsFile; offset: 0 } | undefined {
  let file;
  try {
    file = Deno.openSync(path, { read: true, write: true, createNew: true });
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return undefined;
    throw cause;
  }
  lock(file);
  return { file, offset: 0 };
}

/** Opens and locks what is there, unless somebody else has it, or it is not what it seems. */
function reopen(path: string): { file: Deno.FsFile; offset: number } | undefined {
  if (!lstat(path)?.isFile) return undefined;
  let file;
  try {
    file = Deno.openSync(path, { read: true, write: true });
  } catch {
    return undefined;
  }
  // Its writer may have renamed it between our opening and our locking it.
  const [ours, there] = [file.statSync(), lstat(path)];
  const sound = (ours.nlink ?? 1) === 1 && ours.uid === Deno.uid(); // else others could change it later
  if (sound && lock(file) && there?.ino === ours.ino && lstat(path)?.ino === ours.ino) {
    return { file, offset: ours.size };
  }
  file.close();
  return undefined;
}

/** False when another process holds it; a file system without locks locks nobody out. */
function lock(file: Deno.FsFile): boolean {
  try {
    return file.tryLockSync(true);
  } catch {
    return true;
  }
}

function random(): string {
  return crypto.getRandomValues(new Uint8Array(tagLength / 2)).toHex();
}

function lstat(path: string): Deno.FileInfo | undefined {
  return absent(() => Deno.lstatSync(path));
}

function stat(path: string): Deno.FileInfo | undefined {
  return absent(() => Deno.statSync(path));
}

function absent(look: () => Deno.FileInfo): Deno.FileInfo | undefined {
  try {
    return look();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}
