/**
 * What goes to a client, in order: small answers are gathered and sent together, large bodies as
 * they are. Whoever reads the next request flushes first (connection.ts), so that nothing that a
 * client waits for is ever held back.
 */
import type { Stream } from "../../net/stream.ts";

/** Gathered bytes beyond which a flush is begun. */
const enough = 64 * 1024;

export class Output {
  readonly #stream: Stream;
  #gathered: Uint8Array[] = [];
  #size = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** Is so much gathered that it should be flushed? */
  get full(): boolean {
    return this.#size >= enough;
  }

  /** Gathers bytes, which must stay as they are. */
  queue(bytes: Uint8Array): void {
    this.#gathered.push(bytes);
    this.#size += bytes.length;
  }

  /** Sends what is gathered. @throws {BargeError} `unavailable`, now and at every later call */
  flush(): Promise<void> {
    if (this.#size > 0) {
      const bytes = concat(this.#gathered, this.#size);
      this.#gathered = [];
      this.#size = 0;
      this.#writing = this.#writing.then(() => this.#stream.write(bytes));
      this.#writing.catch(() => {/* each caller is told by the promise that it holds */});
    }
    return this.#writing;
  }

  /** Sends bytes behind all that is gathered, without a copy. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.flush();
    await this.#stream.write(bytes);
  }
}

function concat(pieces: readonly Uint8Array[], size: number): Uint8Array {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
