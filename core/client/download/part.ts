/**
 * A download's temporary file, beside its target: `.NAME.DIGEST.part`, so that the next run resumes
 * a part of the same content only.
 *
 * The bytes are synced before the rename, so that no crash leaves a target of the wrong length. The
 * part is locked while it is written: of two runs at once, the second uses another name.
 */
import { BargeError } from "../../error.ts";
import { syncSmall } from "../../disk/sync_file.ts";
import { localFailure, onLocal } from "../transfer/local_failure.ts";
import type { Folders } from "./folders.ts";
import { baseName, join, parentOf } from "../path.ts";
import { lstat, stat } from "./local_target.ts";

const encoder = new TextEncoder();
/** The most bytes of a file name on common file systems. */
const maxNameBytes = 255;
const tagLength = 16;

/**
 * Returns the beginning of the names of a target's parts: the target's name, shortened to fit.
 *
 * @example
 * ```ts
 * import { partPrefix } from "./part.ts";
 * if (partPrefix("a.tar") !== ".a.tar.") throw new Error();
 * if (new TextEncoder().encode(partPrefix("é".repeat(127))).length > 255 - 21) throw new Error();
 * ```
 */
export function partPrefix(name: string): string {
  const maxBytes = maxNameBytes - tagLength - "..".length - ".part".length;
  if (name.length * 3 <= maxBytes) return `.${name}.`;
  const bytes = encoder.encode(name);
  if (bytes.length <= maxBytes) return `.${name}.`;
  let end = maxBytes;
  while ((bytes[end] & 0xc0) === 0x80) end--;
  return `.${new TextDecoder().decode(bytes.subarray(0, end))}.`;
}

export class Part {
  readonly path: string;
  readonly file: Deno.FsFile;
  /** Its size in bytes when it was opened. */
  readonly offset: number;
  readonly #target: string;
  #open = true;

  private constructor(target: string, path: string, file: Deno.FsFile, offset: number) {
    this.#target = target;
    this.path = path;
    this.file = file;
    this.offset = offset;
  }

  /**
   * Opens the part that an earlier run left, or a new one.
   *
   * @param target the local path of the complete file
   * @param sha256 of the content; null: no earlier part is resumed
   * @param folders the names in the target's folder
   * @throws {BargeError} `exists` for a folder, `usage` for a device or socket, `no-directory`, or
   *   the system's failure
   */
  static open(target: string, sha256: string | null, folders: Folders): Part {
    const folder = parentOf(target);
    const name = baseName(target);
    const mode = folders.lacks(folder, name) ? undefined : modeOf(target);
    const prefix = partPrefix(name);
    const tag = sha256?.slice(0, tagLength) ?? random();
    try {
      let path = join(folder, `${prefix}${tag}.part`);
      let part = create(path) ?? reopen(path);
      if (!part) {
        path = join(folder, `${prefix}${random()}.part`); // another process writes the first one
        part = create(path);
      }
      if (!part) throw new BargeError("exists", "its name is taken", { path });
      // A private file stays private when it is replaced.
      if (mode !== undefined) Deno.chmodSync(path, mode);
      return new Part(target, path, part.file, part.offset);
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw localFailure("write", target, cause);
      throw new BargeError("no-directory", "there is no such folder", { path: folder, cause });
    }
  }

  /**
   * Syncs the part and renames it to its target. After a failure the part still exists and is open.
   *
   * @param modified the file's time
   * @param small true if the sync is expected to be short
   */
  async commit(modified: Date, small = false): Promise<void> {
    try {
      await (small ? syncSmall(this.file) : this.file.sync());
      this.file.utimeSync(new Date(), modified);
      Deno.renameSync(this.path, this.#target);
    } catch (cause) {
      throw localFailure("write", this.#target, cause);
    }
    this.#close();
  }

  /** Removes all bytes. */
  restart(): void {
    onLocal("write", this.#target, () => {
      this.file.truncateSync(0);
      this.file.seekSync(0, Deno.SeekMode.Start);
    });
  }

  /** Closes the part, and leaves it for the next run unless it is empty. */
  keep(): void {
    if (!this.#open) return;
    if (this.file.statSync().size === 0) this.discard();
    else this.#close();
  }

  /** Closes and removes the part. */
  discard(): void {
    if (!this.#open) return;
    removeIfPossible(this.path);
    this.#close();
  }

  #close(): void {
    this.#open = false;
    this.file.close();
  }
}

/** Removes the parts of older contents that earlier runs left, once a file is complete. */
export function removeStale(target: string, folders: Folders): void {
  const folder = parentOf(target);
  const prefix = partPrefix(baseName(target));
  for (const name of folders.parts(folder)) {
    if (name.length !== prefix.length + tagLength + ".part".length) continue;
    if (!name.startsWith(prefix)) continue;
    const path = join(folder, name);
    const part = reopen(path);
    if (!part) continue; // a process is writing it
    part.file.close();
    removeIfPossible(path);
  }
}

function removeIfPossible(path: string): void {
  try {
    Deno.removeSync(path);
  } catch { /* it is gone, or a later run removes it */ }
}

/**
 * Returns the permissions of an existing target; undefined if there is none, and on Windows.
 *
 * @throws {BargeError} if the target is not a file
 */
function modeOf(target: string): number | undefined {
  const facts = stat(target);
  if (facts?.isDirectory) throw new BargeError("exists", "it is a folder", { path: target });
  if (facts && !facts.isFile) {
    const hint = "use - for standard output";
    throw new BargeError("usage", "it is neither a file nor a folder", { path: target, hint });
  }
  return facts?.mode && Deno.build.os !== "windows" ? facts.mode & 0o777 : undefined;
}

function create(path: string): { file: Deno.FsFile; offset: number } | undefined {
  try {
    const file = Deno.openSync(path, { read: true, write: true, createNew: true });
    lock(file);
    return { file, offset: 0 };
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return undefined;
    throw cause;
  }
}

/** Opens and locks an existing part, unless another process has it or could change it. */
function reopen(path: string): { file: Deno.FsFile; offset: number } | undefined {
  if (!lstat(path)?.isFile) return undefined;
  let file;
  try {
    file = Deno.openSync(path, { read: true, write: true });
  } catch {
    return undefined;
  }
  const { nlink, uid, ino, size } = file.statSync();
  const isOurs = (nlink ?? 1) === 1 && uid === Deno.uid();
  // Its writer may rename it until it is locked, so the name is compared before and after.
  const isNamed = () => lstat(path)?.ino === ino;
  if (isOurs && isNamed() && lock(file) && isNamed()) return { file, offset: size };
  file.close();
  return undefined;
}

/** Returns false if another process holds the lock; true on file systems without locks. */
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
