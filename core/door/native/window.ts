/**
 * Small uploads that are being committed while the next requests are read: so many share one sync
 * of the disk. Bounded in number and bytes; answered in order. One to a path that is under way
 * waits for that; anything that is not a small upload waits until the window is empty.
 */

const mostUploads = 128;
const mostBytes = 4 * 1024 * 1024;

export class Window {
  readonly #answer: (answer: object) => void;
  /** Those that are not answered yet, oldest first, and when they will be. */
  readonly #open = new Map<string, Promise<void>>();
  #tail: Promise<void> = Promise.resolve();
  #bytes = 0;

  /** @param answer sends one; called in the order of `add` */
  constructor(answer: (answer: object) => void) {
    this.#answer = answer;
  }

  /** Is nothing under way? */
  get empty(): boolean {
    return this.#open.size === 0;
  }

  /**
   * Takes a request's uploads in; waits while there is no room for them.
   *
   * @param paths where they go to
   * @param begin starts the work; resolves with the answer, a failure's too, and never rejects
   */
  async add(
    paths: readonly string[],
    bytes: number,
    begin: () => Promise<object>,
  ): Promise<void> {
    for (const path of paths) await this.#open.get(path);
    while (!this.empty && !this.#fits(paths.length, bytes)) {
      const [oldest] = this.#open.values();
      await oldest;
    }
    this.#bytes += bytes;
    const work = begin();
    this.#tail = this.#tail.then(async () => {
      const answer = await work;
      for (const path of paths) this.#open.delete(path);
      this.#bytes -= bytes;
      this.#answer(answer);
    });
    for (const path of paths) this.#open.set(path, this.#tail);
  }

  #fits(uploads: number, bytes: number): boolean {
    return this.#open.size + uploads <= mostUploads && this.#bytes + bytes <= mostBytes;
  }

  /** Resolves when every upload in it is answered. */
  drain(): Promise<void> {
    return this.#tail;
  }
}
