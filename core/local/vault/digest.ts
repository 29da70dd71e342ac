/** Digests of files, read from disk. */
import { createHash } from "node:crypto";
import { borrow, giveBack } from "../../disk/buffer_pool.ts";
import type { Place } from "../../storage/place.ts";
import { diskError } from "./trouble.ts";
import type { Vault } from "./vault.ts";

/**
 * Reads a file and digests it.
 *
 * @param length only its first so many bytes
 * @param signal stops between two reads
 * @param onRead told the bytes of each read
 * @returns hex, and how many bytes were read
 * @throws {BargeError} `not-found`, `denied`, `io`
 */
export async function digestFile(
  vault: Vault,
  place: Place,
  algorithm: "sha256" | "md5" = "sha256",
  length = Infinity,
  signal?: AbortSignal,
  onRead?: (bytes: number) => void,
): Promise<{ digest: string; size: number }> {
  const { file } = vault.open(place);
  const hash = createHash(algorithm);
  const buffer = borrow();
  let size = 0;
  try {
    while (size < length) {
      signal?.throwIfAborted();
      const n = await file.read(buffer.subarray(0, Math.min(buffer.length, length - size)));
      if (!n) break;
      hash.update(buffer.subarray(0, n));
      size += n;
      onRead?.(n);
    }
    return { digest: hash.digest("hex"), size };
  } catch (error) {
    throw diskError(error);
  } finally {
    giveBack(buffer);
    file.close();
  }
}
