/**
 * Large buffers, used again: a transfer borrows two and gives them back, so that memory is bounded
 * by the transfers under way and the collector has nothing to chase.
 */

/** The size of every pooled buffer, in bytes. */
export const pooled = 256 * 1024;

/** How many unused buffers are kept. */
const keep = 16;
const unused: Uint8Array<ArrayBuffer>[] = [];

/** A buffer of {@link pooled} bytes, with anything in it. */
export function borrow(): Uint8Array<ArrayBuffer> {
  return unused.pop() ?? new Uint8Array(pooled);
}

/** Gives a borrowed buffer back; nobody may hold a view on it any more. */
export function giveBack(buffer: Uint8Array<ArrayBuffer>): void {
  if (unused.length < keep) unused.push(buffer);
}
