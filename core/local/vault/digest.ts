/** Digests of files, read from disk. */
import { createHash, type Hash } from "node:crypto";
import { borrow, giveBack } from "../../disk/buffer_pool.ts";
import type { Place } from "../../storage/place.ts";
import { diskError } from "./trouble.ts";
import type { Vault } from "./vault.ts";

/**
 * Reads a file and digests it.
 *
 * @param length the most bytes to read, from the start
 * @param signal stops between two reads
 * @param onRead called after each read, with its bytes; the next read waits for it
 * @returns the digest in hex, and the number of bytes
 * @throws {BargeError} `not-found`, `denied`, `io`
 */
export async function digestFile(
  vault: Vault,
  place: Place,
  algorithm: "sha256" | "md5" = "sha256",
  length = Infinity,
  signal?: AbortSignal,
  onRead: (bytes: number) => void | Promise<void> = () => {},
): Promise<{ digest: string; size: number }> {
  const { file } = vault.open(place);
  const hash = createHash(algorithm);
  try {
    signal?.throwIfAborted();
    const size = await readInto(hash, file, length, async (bytes) => {
      await onRead(bytes);
      signal?.throwIfAborted();
    });
    return { digest: hash.digest("hex"), size };
  } catch (error) {
    throw diskError(error);
  } finally {
    file.close();
  }
}

/**
 * Adds the bytes from a file's cursor on to a digest.
 *
 * @param length the most bytes to read
 * @param onRead called after each read, with its bytes; the next read waits for it
 * @returns the number of bytes: less than `length` at the end of the file
 */
export async function readInto(
  hash: Hash,
  file: Deno.FsFile,
  length: number,
  onRead: (bytes: number) => void | Promise<void> = () => {},
): Promise<number> {
  const buffer = borrow();
  try {
    let size = 0;
    while (size < length) {
      const n = await file.read(buffer.subarray(0, Math.min(buffer.length, length - size)));
      if (!n) break;
      hash.update(buffer.subarray(0, n));
      size += n;
      await onRead(n);
    }
    return size;
  } finally {
    giveBack(buffer);
  }
}
