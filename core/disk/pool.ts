/**
 * Large buffers, used again, so that the collector has nothing to chase. A transfer borrows two and
 * gives them back.
 *
 * Invariant: few transfers get large buffers, because each read and write of a file is a hop to
 * another thread, which costs the same for a megabyte as for a page; many share what there is. A
 * buffer is a part of what is left of the budget, between `least` and `most`: 200 transfers at once
 * take 20 MiB, not 400. What is given back is kept for the next, up to a bound: left to the collector
 * it would stay for longer, since what it looks at is only the few bytes of the object.
 */

/** No buffer is smaller, in bytes. */
export const least = 64 * 1024;
const most = 1024 * 1024;
const budget = 8 * 1024 * 1024;
const share = 4;
/** So many bytes are kept for those who need some next. */
const spare = 8 * 1024 * 1024;

type Buffer = Uint8Array<ArrayBuffer>;

const unused = new Map<number, Buffer[]>();
let lent = 0;
let kept = 0;

/**
 * A buffer with anything in it, of a power of two of bytes, at least {@link least}.
 *
 * @param need no more than so many bytes are of use, as far as is known
 */
export function borrow(need = Infinity): Buffer {
  const room = Math.max(least, Math.min(most, need, (budget - lent) / share));
  const size = 2 ** Math.floor(Math.log2(room));
  lent += size;
  const buffer = unused.get(size)?.pop();
  if (!buffer) return new Uint8Array(size);
  kept -= size;
  return buffer;
}

/** Gives a borrowed buffer back; nobody may hold a view on it any more. */
export function giveBack(buffer: Buffer): void {
  const { length } = buffer;
  lent -= length;
  const same = unused.get(length) ?? [];
  unused.delete(length);
  unused.set(length, same); // behind the others
  same.push(buffer);
  kept += length;
  if (kept > spare) letGo();
}

/** First of the size that nobody has given back for the longest time: it is not what is needed now. */
function letGo(): void {
  for (const [size, buffers] of unused) {
    while (kept > spare && buffers.pop()) kept -= size;
  }
}

/** Leaves a borrowed buffer to the collector: a read or write that was cut may still use it. */
export function abandon(buffer: Buffer): void {
  lent -= buffer.length;
}
