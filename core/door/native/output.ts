/**
 * What goes to a client, in order: small answers are gathered and sent together, large bodies as
 * they are. Whoever reads the next request flushes first (connection.ts), so that nothing that a
 * client waits for is ever held back. While one write is under way, what is flushed waits and
 * leaves in one piece behind it.
 */
import { setImmediate } from "node:timers";
import type { Stream } from "../../net/stream.ts";
import type { Brake } from "../brake.ts";

/** Gathered bytes beyond which a flush is begun. */
const enough = 64 * 1024;

export class Output {
  readonly #stream: Stream;
  readonly #patience: number;
  #gathered: Uint8Array[] = [];
  #size = 0;
  #writing: Promise<void> = Promise.resolve();
  readonly #brake: () => Brake | undefined;
  /** Is a write of all that is gathered by then in line already? */
  #inLine = false;
  /** Will there be one when this turn of the event loop is over? */
  #soon = false;

  /**
   * @param patience milliseconds that the client may read nothing
   * @param brake asked before each write; undefined: at full speed
   */
  constructor(
    stream: Stream,
    patience: number,
    brake: () => Brake | undefined = () => undefined,
  ) {
    this.#stream = stream;
    this.#patience = patience;
    this.#brake = brake;
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
    if (this.#size > 0 && !this.#inLine) {
      this.#inLine = true;
      this.#then(() => {
        this.#inLine = false;
        const bytes = concat(this.#gathered, this.#size);
        this.#gathered = [];
        this.#size = 0;
        return this.#send(bytes);
      });
    }
    return this.#writing;
  }

  /** Sends what will be gathered by the end of this turn of the event loop: many answers are one write. */
  flushSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    setImmediate(() => {
      this.#soon = false;
      this.flush().catch(() => {/* whoever waits on the stream finds out, too */});
    });
  }

  /** Sends bytes behind all that is gathered, without a copy; nothing may be queued meanwhile. */
  async write(bytes: Uint8Array): Promise<void> {
    this.flush();
    await this.#then(() => this.#send(bytes));
  }

  #send(bytes: Uint8Array): Promise<void> {
    const brake = this.#brake();
    return brake ? this.#slowly(bytes, brake) : this.#stream.write(bytes, this.#patience);
  }

  async #slowly(bytes: Uint8Array, brake: Brake): Promise<void> {
    for (let at = 0; at < bytes.length; at += brake.piece) {
      const piece = bytes.subarray(at, at + brake.piece);
      await brake.hold(piece.length);
      await this.#stream.write(piece, this.#patience);
    }
  }

  #then(write: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(write);
    this.#writing.catch(() => {/* each caller is told by the promise that it holds */});
    return this.#writing;
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
