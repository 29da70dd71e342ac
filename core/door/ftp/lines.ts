/** Reads command lines from a connection, and answers what Telnet wants to know in between. */
import type { Stream } from "../../net/stream.ts";
import { type Line, LineParser } from "./line.ts";

export class LineReader {
  readonly #stream: Stream;
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #parser = new LineParser();
  readonly #buffer = new Uint8Array(4096);

  /** @param write sends bytes behind the replies that are on their way */
  constructor(stream: Stream, write: (bytes: Uint8Array) => Promise<void>) {
    this.#stream = stream;
    this.#write = write;
  }

  /**
   * The next line, or null when the client has ended its side. It has no deadline of its own: who
   * waits for it has one.
   *
   * @throws {BargeError} `unavailable` when the connection broke, or was closed
   */
  async next(): Promise<Line | null> {
    while (true) {
      const line = this.#parser.next();
      const refusals = this.#parser.refusals();
      if (refusals) await this.#write(refusals);
      if (line) return line;
      this.#stream.patience = Infinity;
      const n = await this.#stream.read(this.#buffer);
      if (n === null) return null;
      this.#parser.feed(this.#buffer.subarray(0, n));
    }
  }

  /** Forgets what has come and was not asked for yet. */
  discard(): void {
    this.#parser.discard();
  }
}
