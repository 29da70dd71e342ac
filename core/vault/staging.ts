/**
 * Bytes that have arrived and are not yet a file: `staging/ID`, one for each upload in the ledger.
 *
 * open -> write* -> sync -> (renamed by the vault) | discard. A staged file is written from its end
 * only. Two buffers alternate upstream, so that `write` may run while the next piece is received.
 */
import { createHash, type Hash } from "node:crypto";
import { BargeError, typed } from "../error.ts";
import { borrow, giveBack } from "../net/pool.ts";
import { reached } from "./fault.ts";
import type { Place } from "./place.ts";
import { foundOf, type Vault } from "./vault.ts";

/** The folder, never listed by any door. */
export const stagingDir = "staging";

/** Where an upload's bytes are staged. */
export function stagedPlace(upload: number): Place {
  return { dir: stagingDir, name: String(upload) };
}

export class Staged implements Disposable {
  readonly #file: Deno.FsFile;
  #hash: Hash = createHash("sha256");
  #size = 0;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Opens an upload's staged bytes, or begins them.
   *
   * @param keep true: what is there already is read once, for the digest, and continued
   * @param onRead called after each piece of that: it takes a second a gigabyte
   */
  static async open(
    vault: Vault,
    upload: number,
    keep: boolean,
    onRead: () => void = () => {},
  ): Promise<Staged> {
    const path = stagedPath(vault, upload);
    try {
      const going = keep && stagedSize(vault, upload) !== undefined;
      const file = going ? await Deno.open(path, { read: true, write: true }) : makeFile(path);
      const staged = new Staged(file);
      try {
        if (going) await staged.#digestPrefix(onRead);
        return staged;
      } catch (error) {
        staged[Symbol.dispose]();
        throw error;
      }
    } catch (error) {
      throw typed(error, { op: "stage" });
    }
  }

  /** Bytes that are there. */
  get size(): number {
    return this.#size;
  }

  /** The SHA-256 of what is there, in hex. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Appends. The bytes must stay as they are until it resolves. @throws {BargeError} `no-space` */
  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    try {
      for (let done = 0; done < bytes.length;) {
        done += await this.#file.write(done === 0 ? bytes : bytes.subarray(done));
      }
      this.#size += bytes.length;
    } catch (error) {
      throw typed(error, { op: "stage" });
    }
  }

  /** Drops what is there and begins again. */
  async restart(): Promise<void> {
    try {
      await this.#file.truncate(0);
      await this.#file.seek(0, Deno.SeekMode.Start);
    } catch (error) {
      throw typed(error, { op: "stage" });
    }
    this.#hash = createHash("sha256");
    this.#size = 0;
  }

  /**
   * Makes it ready to be renamed into place: sets its time, and syncs it.
   *
   * @param modified milliseconds since 1970, or null to leave the time of the last write
   */
  async finish(
    modified: number | null,
    durable: boolean,
  ): Promise<{ modified: number; ino: number }> {
    try {
      if (modified !== null) {
        const time = new Date(modified);
        await this.#file.utime(time, time);
      }
      reached("staged");
      if (durable) await this.#file.sync();
      reached("synced");
      const { size, modified: time, ino } = foundOf(await this.#file.stat());
      if (size !== this.#size) {
        throw new BargeError("io", `staged ${this.#size} bytes and found ${size}`);
      }
      return { modified: time, ino };
    } catch (error) {
      throw typed(error, { op: "stage" });
    }
  }

  /** Closes the file; its bytes stay. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  async #digestPrefix(onRead: () => void): Promise<void> {
    const buffer = borrow();
    try {
      for (let n; (n = await this.#file.read(buffer)) !== null;) {
        this.#hash.update(buffer.subarray(0, n));
        this.#size += n;
        onRead();
      }
    } finally {
      giveBack(buffer);
    }
  }
}

/**
 * Stages a small file that has arrived whole. Synchronous but for the sync: for a few pages, handing
 * each call to another thread takes longer than the calls.
 *
 * @param modified milliseconds since 1970, or null to leave the time of the write
 * @throws {BargeError} `no-space`
 */
export async function stageWhole(
  vault: Vault,
  upload: number,
  bytes: Uint8Array,
  modified: number | null,
): Promise<{ modified: number; ino: number }> {
  const path = stagedPath(vault, upload);
  try {
    using file = makeFile(path);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    if (modified !== null) {
      const time = new Date(modified);
      file.utimeSync(time, time);
    }
    const found = foundOf(file.statSync());
    reached("staged");
    if (vault.durable) await file.sync();
    reached("synced");
    return { modified: found.modified, ino: found.ino };
  } catch (error) {
    throw typed(error, { op: "stage" });
  }
}

/** Makes the file: never through a link that somebody has laid there, since it is made exclusively. */
function makeFile(path: string): Deno.FsFile {
  const options = { read: true, write: true, createNew: true, mode: 0o600 };
  try {
    return Deno.openSync(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  Deno.removeSync(path, { recursive: true }); // whatever it is, it is not this upload's
  return Deno.openSync(path, options);
}

/** @throws {BargeError} `denied` when the folder for staged bytes is a link to elsewhere */
function stagedPath(vault: Vault, name: string | number): string {
  vault.needFolder(stagingDir);
  return `${vault.root}/${stagingDir}/${name}`;
}

/** How many bytes are staged; undefined for none. */
export function stagedSize(vault: Vault, upload: number): number | undefined {
  const found = vault.find(stagedPlace(upload));
  return found?.type === "file" ? found.size : undefined;
}

/** How long nothing was done to what is staged under a name, in ms; undefined when it is gone. */
export function stagedAge(vault: Vault, name: string): number | undefined {
  try {
    const { ctime, mtime } = Deno.lstatSync(stagedPath(vault, name));
    const last = ctime ?? mtime;
    return last ? Date.now() - last.getTime() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw typed(error, { op: "stage" });
  }
}

/**
 * Throws away what was removed, without holding up the event loop for a large tree. What can't be
 * deleted is out of every door's sight already, and the next start tries again.
 */
export async function discardTree(vault: Vault, name: string): Promise<void> {
  await Deno.remove(stagedPath(vault, name), { recursive: true }).catch(() => {});
}

/** Throws staged bytes away, or whatever lies there in their place. */
export function discard(vault: Vault, name: string | number): void {
  try {
    Deno.removeSync(stagedPath(vault, name), { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw typed(error, { op: "discard" });
  }
}

/** The names of all that is staged. */
export function stagedNames(vault: Vault): string[] {
  return Array.from(Deno.readDirSync(stagedPath(vault, "")), (entry) => entry.name);
}
