/**
 * A pool of large buffers for transfers, each of which borrows two.
 *
 * Each read or write of a file is handed to another thread, which costs the same for a megabyte as for a
 * page. So a buffer's size is a share of the budget that is not in use, between `minBufferBytes` and
 * `maxBufferBytes`: few transfers get large buffers, and 200 at once take 20 MiB instead of 400.
 * Returned buffers are kept for the next transfer, up to `maxUnusedBytes`. The garbage collector sees only
 * the few bytes of a buffer's object, and would free its memory late.
 */

export const minBufferBytes = 64 * 1024;
const maxBufferBytes = 1024 * 1024;
const budgetBytes = 8 * 1024 * 1024;
/** A buffer takes at most this fraction of the budget that is not in use: a fourth. */
const budgetDivisor = 4;
const maxUnusedBytes = 8 * 1024 * 1024;

type Buffer = Uint8Array<ArrayBuffer>;

/** Unused buffers by their size; the size that was returned last comes last. */
const unused = new Map<number, Buffer[]>();
let borrowedBytes = 0;
let unusedBytes = 0;

/**
 * Returns a buffer of unspecified content, whose size is a power of two from {@link minBufferBytes} on.
 *
 * @param neededBytes the most bytes that are of use, as far as is known
 */
export function borrow(neededBytes = Infinity): Buffer {
  const share = (budgetBytes - borrowedBytes) / budgetDivisor;
  const limit = Math.max(minBufferBytes, Math.min(maxBufferBytes, neededBytes, share));
  const size = 2 ** Math.floor(Math.log2(limit));
  borrowedBytes += size;
  const buffer = unused.get(size)?.pop();
  if (!buffer) return new Uint8Array(size);
  unusedBytes -= size;
  return buffer;
}

/** Borrows a buffer of at least `bytes`. @returns undefined where the pool has no such buffer now */
export function borrowWhole(bytes: number): Buffer | undefined {
  const buffer = borrow(2 ** Math.ceil(Math.log2(bytes)));
  if (buffer.length >= bytes) return buffer;
  giveBack(buffer);
}

/** Returns a borrowed buffer to the pool; no view of it may be used afterwards. */
export function giveBack(buffer: Buffer): void {
  const { length } = buffer;
  borrowedBytes -= length;
  const sameSize = unused.get(length) ?? [];
  unused.delete(length);
  unused.set(length, sameSize); // moves this size to the end
  sameSize.push(buffer);
  unusedBytes += length;
  if (unusedBytes > maxUnusedBytes) freeUnused();
}

/** Frees buffers of the size that was returned least recently, since it is not in demand. */
function freeUnused(): void {
  for (const [size, buffers] of unused) {
    while (unusedBytes > maxUnusedBytes && buffers.pop()) unusedBytes -= size;
  }
}

/** Leaves a borrowed buffer to the garbage collector: a read or write that was cut may still use it. */
export function abandon(buffer: Buffer): void {
  borrowedBytes -= buffer.length;
}
