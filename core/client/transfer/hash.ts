/** SHA-256 of local files; the next piece is read while one is hashed. */
import { createHash, type Hash } from "node:crypto";
import type { BargeError } from "../../error.ts";
import { borrow, giveBack } from "../../disk/buffer_pool.ts";

export type { Hash };

/** Returns an empty SHA-256. */
export function sha256(): Hash {
  return createHash("sha256");
}

/**
 * Hashes a range of a file, from the file's position.
 *
 * @param length bytes
 * @param closed called before each read; an error that it returns is thrown
 * @returns the number of bytes; fewer if the file is shorter
 */
export async function hashInto(
  hash: Hash,
  file: Deno.FsFile,
  length: number,
  closed: () => BargeError | undefined,
): Promise<number> {
  let [full, empty] = [borrow(), borrow()];
  const read = (into: Uint8Array, left: number) =>
    file.read(left < into.length ? into.subarray(0, left) : into);
  let pending: Promise<number | null> | undefined;
  try {
    let done = 0;
    let n = length > 0 ? await read(full, length) : null;
    while (n !== null && n > 0) {
      const reason = closed();
      if (reason) throw reason;
      done += n;
      pending = done < length ? read(empty, length - done) : undefined;
      hash.update(full.subarray(0, n));
      n = await pending ?? null;
      pending = undefined;
      [full, empty] = [empty, full];
    }
    return done;
  } finally {
    await pending?.catch(() => {/* the first failure is thrown */});
    giveBack(full);
    giveBack(empty);
  }
}

/** Returns the digest of a whole local file, in hexadecimal. */
export async function hashFile(path: string, closed: () => BargeError | undefined) {
  using file = await Deno.open(path);
  const hash = sha256();
  await hashInto(hash, file, Infinity, closed);
  return hash.digest("hex");
}
