/**
 * Reads command lines from a connection, and refuses Telnet options.
 *
 * Urgent data makes two ways of reading necessary. The system ends a read at the urgent mark, even
 * when more bytes have come. After a read that does not fill its buffer, the runtime waits for the
 * next event of the socket, and there is no event for bytes that came before: an ABOR behind the mark
 * would wait until the client sends something else. After a read that fills its buffer, the runtime
 * reads again at once. So bytes are read one by one where a mark may come: at the start of a line
 * and in an ABOR. A mark in the same piece as an earlier command is still missed. Telnet's IP
 * precedes the mark, and counts as ABOR when no command follows within a second.
 */
import type { Stream } from "../../net/stream.ts";
import { type Line, LineParser } from "./line_parser.ts";

/** The time after Telnet's IP in which an ABOR may come. */
const interruptTimeoutMs = 1000;

export class LineReader {
  readonly #stream: Stream;
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #parser = new LineParser();
  readonly #buffer = new Uint8Array(4096);
  /** The read that is under way; it goes on after an ABOR was assumed. */
  #reading: Promise<number | null> | undefined;
  /** True after an ABOR was assumed; the next one is the same. */
  #assumedAbort = false;

  /** @param write sends bytes after the replies that are being sent */
  constructor(stream: Stream, write: (bytes: Uint8Array) => Promise<void>) {
    this.#stream = stream;
    this.#write = write;
  }

  /**
   * Returns the next line, or null when the client has ended its side. The caller has the deadline.
   *
   * @throws {BargeError} `unavailable` when the connection broke, or was closed
   */
  async next(): Promise<Line | null> {
    while (true) {
      const line = this.#parser.next();
      const refusals = this.#parser.refusals();
      if (refusals) await this.#write(refusals);
      if (line) {
        const same = this.#assumedAbort && /^abor$/i.test(line.text);
        this.#assumedAbort = false;
        if (same) continue;
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

  /**
   * Reads more bytes.
   *
   * @returns their number; null at the end; "late" when no command follows an interrupt
   */
  async #more(): Promise<number | null | "late"> {
    if (!this.#reading) {
      this.#reading = this.#read();
      this.#reading.catch(() => {/* the next read fails, too */});
    }
    if (!this.#parser.interrupted) return await this.#reading;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), interruptTimeoutMs);
    });
    try {
      return await Promise.race([this.#reading, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(): Promise<number | null> {
    this.#stream.patience = Infinity;
    try {
      return await this.#stream.read(this.#buffer.subarray(0, this.#parser.marked ? 1 : undefined));
    } finally {
      this.#reading = undefined;
    }
  }
}
