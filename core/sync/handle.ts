/**
 * What goes from one isolate to another: a kind and shared memory, nothing else.
 *
 * Every memory begins with the same eight words (Int32):
 *
 *     0  kind       its number in `kinds`, plus a mark
 *     1  bytes      of the whole memory
 *     2  waiters    how many slots there are
 *     3  mutex      0 free, 1 held, 2 held and somebody sleeps on it
 *     4  free       the first slot in the list of returned ones; 0: none
 *     5  used       how many slots were ever handed out
 *     6, 7          unused
 *
 * What follows is in monitor.ts and with each primitive.
 */

const kinds = [
  "Lock",
  "RLock",
  "Semaphore",
  "BoundedSemaphore",
  "Event",
  "Condition",
  "Barrier",
  "Timer",
  "Queue",
  "LifoQueue",
  "PriorityQueue",
] as const;

/** The name of a primitive. */
export type Kind = typeof kinds[number];

/** A primitive on its way to another isolate, through postMessage. */
export interface Handle<K extends Kind> {
  readonly kind: K;
  readonly memory: SharedArrayBuffer;
}

const mark = 0x53594e00;

export const headerWords = 8;
export const BYTES = 1;
export const WAITERS = 2;
export const MUTEX = 3;
export const FREE = 4;
export const USED = 5;

/** Marks fresh memory as a primitive's. */
export function write(words: Int32Array, kind: Kind, waiters: number): void {
  words[BYTES] = words.byteLength;
  words[WAITERS] = waiters;
  Atomics.store(words, 0, mark + kinds.indexOf(kind));
}

/**
 * Checks a handle that came from elsewhere.
 *
 * @returns its memory
 * @throws TypeError where it is not a whole handle of that kind
 */
export function open<K extends Kind>(handle: Handle<K>, kind: K): SharedArrayBuffer {
  const { kind: given, memory } = handle ?? {};
  if (given !== kind || !(memory instanceof SharedArrayBuffer)) {
    throw new TypeError(`this is no ${kind}'s handle: ${describe(given, memory)}`);
  }
  const size = memory.byteLength;
  if (size % 4 !== 0 || size < headerWords * 4) {
    throw new TypeError(`this is no ${kind}'s handle: it has ${size} bytes`);
  }
  const words = new Int32Array(memory);
  const found = kinds[Atomics.load(words, 0) - mark];
  if (found !== kind) {
    throw new TypeError(`this is no ${kind}'s handle: its memory is a ${found ?? "stranger"}'s`);
  }
  if (words[BYTES] !== size) {
    throw new TypeError(`this ${kind}'s handle has ${size} bytes, and should have ${words[BYTES]}`);
  }
  return memory;
}

function describe(kind: unknown, memory: unknown): string {
  if (typeof kind !== "string") return "it has no kind";
  return memory instanceof SharedArrayBuffer ? `it is a ${kind}'s` : "it has no shared memory";
}
