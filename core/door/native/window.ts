/**
 * Holds small uploads that are being committed while the next requests are read, so that many uploads share
 * one sync of the disk. Their number and bytes are bounded, and they are answered in order. An upload waits
 * for an earlier upload to the same path; other requests wait until the window is empty.
 */

const maxWindowBytes = 4 * 1024 * 1024;

export class Window {
  readonly #maxUploads: number;
  readonly #answer: (answer: object) => void;
  /** The paths of unanswered uploads, oldest first, with a promise of their answer. */
  readonly #open = new Map<string, Promise<void>>();
  #tail: Promise<void> = Promise.resolve();
  #bytes = 0;

  /**
   * @param maxUploads the most uploads in the window
   * @param answer sends an answer; called in the order of the calls of `add`
   */
  constructor(maxUploads: number, answer: (answer: object) => void) {
    this.#maxUploads = maxUploads;
    this.#answer = answer;
  }

  /**
   * Waits until there is room for the uploads of a request, and begins them.
   *
   * @param paths the targets of the uploads
   * @param begin starts the work; resolves with the answer, also of a failure, and never rejects
   */
  async add(paths: readonly string[], bytes: number, begin: () => Promise<object>): Promise<void> {
    for (const path of paths) await this.#open.get(path);
    while (this.#open.size > 0 && !this.#fits(paths.length, bytes)) {
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
    return this.#open.size + uploads <= this.#maxUploads && this.#bytes + bytes <= maxWindowBytes;
  }

  /** Waits until every upload in the window is answered. */
  drain(): Promise<void> {
    return this.#tail;
  }
}
