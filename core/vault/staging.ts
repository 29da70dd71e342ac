/**
 * Bytes that have arrived and are not yet a file: `staging/ID`, one for each upload in the ledger.
 *
 * open -> write* -> sync -> (renamed by the vault) | discard. A staged file is written from its end
 * only. Two buffers alternate upstream, so that `write` may run while the next piece is received.
 */
import { createHash, type Hash } from "node:crypto";
import { BargeError, typed } from "../error.ts";
import { borrow, giveBack } from "../net/pool.ts";
import type { Place } from "./place.ts";
import type { Vault } from "./vault.ts";

/** The folder, never listed by any door. */
export const stagingDir = "staging";

/** Where an upload's bytes are staged. */
export function stagedPlace(upload: number): Place {
  return { dir: stagingDir, name: String(upload) };
}

export class Staged implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  #hash: Hash = createHash("sha256");
  #size = 0;

  private constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.#path = path;
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
    const path = `${vault.root}/${stagingDir}/${upload}`;
    try {
      const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
      const staged = new Staged(file, path);
      try {
        if (keep) await staged.#digestPrefix(onRead);
        else await staged.restart();
        return staged;
      } catch (error) {
        file.close();
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
    await this.#file.truncate(0);
    await this.#file.seek(0, Deno.SeekMode.Start);
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
      if (durable) await this.#file.sync();
      const info = await this.#file.stat();
      if (info.size !== this.#size) {
        throw new BargeError("io", `staged ${this.#size} bytes and found ${info.size}`);
      }
      return { modified: info.mtime?.getTime() ?? 0, ino: info.ino ?? 0 };
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

/** How many bytes are staged; undefined for none. */
export function stagedSize(vault: Vault, upload: number): number | undefined {
  return vault.find(stagedPlace(upload))?.size;
}

/** Throws staged bytes away, or what was removed: a file or a whole tree. */
export function discard(vault: Vault, name: string | number): void {
  try {
    Deno.removeSync(`${vault.root}/${stagingDir}/${name}`, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw typed(error, { op: "discard" });
  }
}

/** The names of all that is staged. */
export function stagedNames(vault: Vault): string[] {
  return Array.from(Deno.readDirSync(`${vault.root}/${stagingDir}`), (entry) => entry.name);
}
