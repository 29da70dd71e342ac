/**
 * Reads command lines from a connection, and refuses Telnet options.
 *
 * Clients send Telnet's IP and DM before an ABOR as urgent data (line_parser.ts), and the system ends a
 * read at their end, the urgent mark, even when more bytes have arrived. After a read that does not
 * fill its buffer, the runtime waits for the next event of the socket, so an ABOR behind the mark would
 * be read only when the client sends something else. After a read that fills its buffer, the runtime
 * reads again at once. So bytes are read one by one wherever the mark may be: at the start of a line, and
 * in an ABOR.
 *
 * If an earlier command is read together with the urgent data, the ABOR is delayed all the same. So
 * Telnet's IP, which comes before the mark, counts as ABOR when no command follows within a second.
 */
import { delay } from "../../net/delay.ts";
import type { Stream } from "../../net/stream.ts";
import { type Line, LineParser } from "./line_parser.ts";

/** The time after Telnet's IP in which an ABOR may come. */
const interruptTimeoutMs = 1000;

export class LineReader {
  readonly #stream: Stream;
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #parser = new LineParser();
  readonly #buffer = new Uint8Array(4096);
  /** The read under way. It continues when the reader assumes an ABOR. */
  #reading: Promise<number | null> | undefined;
  /** True after an ABOR was assumed. If it arrives later, it is ignored. */
  #assumedAbort = false;

  /** @param write sends bytes after the replies that are being sent */
  constructor(stream: Stream, write: (bytes: Uint8Array) => Promise<void>) {
    this.#stream = stream;
    this.#write = write;
  }

  /**
   * Returns the next line, or null when the client has ended its side. Has no deadline; the
   * caller limits the wait.
   *
   * @throws {BargeError} `unavailable` when the connection broke, or was closed
   */
  async next(): Promise<Line | null> {
    while (true) {
      const line = this.#parser.next();
      const refusals = this.#parser.refusals();
      if (refusals) await this.#write(refusals);
      if (line) {
        const isRepeated = this.#assumedAbort && /^abor$/i.test(line.text);
        this.#assumedAbort = false;
        if (isRepeated) continue;
        return line;
      }
      const n = await this.#more();
      if (n === "late") {
        this.#assumedAbort = true;
        this.#parser.forgetInterrupt();
        return { text: "ABOR" };
      }
      if (n === null) return null;
      this.#parser.feed(this.#buffer.subarray(0, n));
    }
  }

  /** Drops the bytes that no returned line contains. */
  discard(): void {
    this.#assumedAbort = false;
    this.#parser.discard();
  }

  /** Reads bytes. @returns their number; null at the end; "late" when no command follows an interrupt */
  async #more(): Promise<number | null | "late"> {
    if (!this.#reading) {
      this.#reading = this.#read();
      this.#reading.catch(() => {/* the next read fails, too */});
    }
    if (!this.#parser.interrupted) return await this.#reading;
    const done = new AbortController();
    const late = delay(interruptTimeoutMs, done.signal).then(() => "late" as const);
    try {
      return await Promise.race([this.#reading, late]);
    } finally {
      done.abort();
    }
  }

  async #read(): Promise<number | null> {
    this.#stream.idleTimeoutMs = Infinity;
    try {
      return await this.#stream.read(this.#buffer.subarray(0, this.#parser.marked ? 1 : undefined));
    } finally {
      this.#reading = undefined;
    }
  }
}
