/**
 * The handle of a primitive, which goes from one isolate to another: its kind and shared memory.
 *
 * Every memory begins with the same eight words (Int32):
 *
 *     0  kind       index in `kinds`, plus a mark
 *     1  bytes      of the whole memory
 *     2  waiters    number of slots
 *     3  mutex      0 free, 1 held, 2 held and an agent sleeps on it
 *     4  free       the first slot in the list of returned ones; 0: none
 *     5  used       number of slots that were ever used
 *     6, 7          unused
 *
 * monitor.ts and each primitive describe the words after these.
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

/** A primitive in a form that postMessage can send. */
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

/** Writes the header of new memory. */
export function write(words: Int32Array, kind: Kind, waiters: number): void {
  words[BYTES] = words.byteLength;
  words[WAITERS] = waiters;
  Atomics.store(words, 0, mark + kinds.indexOf(kind));
}

/**
 * Checks a handle from another isolate.
 *
 * @returns its memory
 * @throws TypeError if it is no valid handle of that kind
 */
export function open<K extends Kind>(handle: Handle<K>, kind: K): SharedArrayBuffer {
  const { kind: handleKind, memory } = handle ?? {};
  if (handleKind !== kind || !(memory instanceof SharedArrayBuffer)) {
    throw new TypeError(`this is no ${kind}'s handle: ${describe(handleKind, memory)}`);
  }
  const size = memory.byteLength;
  if (size % 4 !== 0 || size < headerWords * 4) {
    throw new TypeError(`this is no ${kind}'s handle: it has ${size} bytes`);
  }
  const words = new Int32Array(memory);
  const memoryKind = kinds[Atomics.load(words, 0) - mark];
  if (memoryKind !== kind) {
    throw new TypeError(
      `this is no ${kind}'s handle: its memory is ${
        memoryKind ? `a ${memoryKind}'s` : "not a primitive's"
      }`,
    );
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
