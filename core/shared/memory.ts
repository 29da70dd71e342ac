/**
 * The memory that pieces under way may take, for all uploads and downloads of one process. A piece for which
 * there is none left is made, or read, in the smallest size, which needs no leave: no transfer waits for
 * another one.
 */

const maxBytes = 256 * 1024 * 1024;

let takenBytes = 0;

/** Takes memory for a number of bytes. @returns undefined where there is not so much left */
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
