/**
 * The memory that pieces under way may take, for all uploads and downloads of one process. When it is used
 * up, a transfer writes or reads pieces of the smallest size, which are not counted. So no transfer waits for
 * another one.
 */

const maxBytes = 256 * 1024 * 1024;

let takenBytes = 0;

/** Takes memory for a number of bytes. @returns undefined where less is left */
export function takeMemory(bytes: number): Disposable | undefined {
  if (takenBytes + bytes > maxBytes) return undefined;
  takenBytes += bytes;
  let released = false;
  return {
    [Symbol.dispose]() {
      if (!released) takenBytes -= bytes;
      released = true;
    },
  };
}

/** Returns whether transfers should keep fewer pieces in memory, since half of it is taken. */
export function isMemoryShort(): boolean {
  return takenBytes > maxBytes / 2;
}
