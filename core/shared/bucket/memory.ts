/**
 * The memory that pieces under way may take, for all uploads and downloads of one process. When it is used
 * up, a transfer writes or reads pieces of the smallest size, which are not counted. So no transfer waits for
 * another one.
 *
 * Fresh memory costs the kernel more time than a copy of as many bytes. So the memory of large pieces is used again,
 * and is freed once no transfer is under way.
 */

const maxBytes = 256 * 1024 * 1024;
/** The size of the buffers that are used again: that of the largest pieces. */
const reusedBytes = 8 * 1024 * 1024;

let takenBytes = 0;
const unused: ArrayBuffer[] = [];

/** The memory of one piece. Disposing of it releases it: nothing may use its buffer any more. */
export class PieceMemory implements Disposable {
  readonly #bytes: number;
  #buffer: ArrayBuffer | undefined;
  #released = false;

  /** @param bytes the size of the buffer */
  constructor(bytes: number) {
    this.#bytes = bytes;
    takenBytes += bytes;
  }

  /** A buffer of any content. It is made again if it was transferred and is not set to its successor. */
  get buffer(): ArrayBuffer {
    if (this.#buffer && !this.#buffer.detached) return this.#buffer;
    const reused = this.#bytes === reusedBytes ? unused.pop() : undefined;
    return this.#buffer = reused ?? new ArrayBuffer(this.#bytes);
  }

  set buffer(buffer: ArrayBuffer) {
    this.#buffer = buffer;
  }

  /** Releases the memory, and leaves the buffer to the garbage collector: it may still be read. */
  abandon(): void {
    this.#buffer = undefined;
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (this.#released) return;
    this.#released = true;
    takenBytes -= this.#bytes;
    if (this.#buffer?.byteLength === reusedBytes) unused.push(this.#buffer);
    if (takenBytes === 0) unused.length = 0;
  }
}

/** Takes memory for a number of bytes. @returns undefined where less is left */
export function takeMemory(bytes: number): PieceMemory | undefined {
  const size = bytes > reusedBytes / 2 ? Math.max(bytes, reusedBytes) : bytes;
  return takenBytes + size > maxBytes ? undefined : new PieceMemory(size);
}

/** Returns whether transfers should keep fewer pieces in memory, since half of it is taken. */
export function isMemoryShort(): boolean {
  return takenBytes > maxBytes / 2;
}
