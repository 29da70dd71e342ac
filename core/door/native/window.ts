/**
 * Small uploads that are being committed while the next requests are read: so many share one sync
 * of the disk. Bounded in number and bytes; answered in order; anything that is not a small upload,
 * or is one to a path that is under way, waits until the window is empty.
 */

const mostUploads = 64;
const mostBytes = 4 * 1024 * 1024;

export class Window {
  readonly #answer: (answer: object) => void;
  readonly #paths = new Set<string>();
  #tail: Promise<void> = Promise.resolve();
  #bytes = 0;

  /** @param answer sends one; called in the order of `add` */
  constructor(answer: (answer: object) => void) {
    this.#answer = answer;
  }

  /**
   * Takes an upload in; waits while there is no room for it.
   *
   * @param begin starts the work; resolves with the answer, a failure's too
   */
  async add(path: string, bytes: number, begin: () => Promise<object>): Promise<void> {
    const room = this.#paths.size < mostUploads && this.#bytes + bytes <= mostBytes;
    if (!room || this.#paths.has(path)) await this.drain();
    this.#paths.add(path);
    this.#bytes += bytes;
    const work = begin();
    this.#tail = this.#tail.then(async () => {
      const answer = await work;
      this.#paths.delete(path);
      this.#bytes -= bytes;
      this.#answer(answer);
    });
  }

  /** Resolves when every upload in it is answered. */
  drain(): Promise<void> {
    return this.#tail;
  }
}
