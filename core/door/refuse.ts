/**
 * What a client is told for whom there is no place, before it has said anything; then the connection
 * ends. Nothing that it sends is looked at. Only so many are told at once; who comes
 * beyond that is closed without a word.
 */
import type { Stream } from "../net/stream.ts";

const most = 64;
/** A client that is told must have read it within so many ms. */
const within = 2_000;

/** Those that are being told. */
export class Refusals {
  readonly #open = new Map<Stream, Promise<void>>();
  readonly #text: Uint8Array;

  /** @param text what they are told, in the door's protocol */
  constructor(text: Uint8Array) {
    this.#text = text;
  }

  /** @param stream taken over */
  refuse(stream: Stream): void {
    if (this.#open.size >= most) return stream.close();
    const telling = this.#tell(stream).finally(() => this.#open.delete(stream));
    this.#open.set(stream, telling);
  }

  /** Ends them all. */
  async stop(): Promise<void> {
    for (const stream of this.#open.keys()) stream.close();
    await Promise.all(this.#open.values());
  }

  /** Reads away what comes: closing on unread bytes would take the answer back. */
  async #tell(stream: Stream): Promise<void> {
    const cut = setTimeout(() => stream.close(), within);
    try {
      await stream.write(this.#text);
      await stream.end();
      const buffer = new Uint8Array(4096);
      while (await stream.read(buffer) !== null);
    } catch {
      /* it is gone */
    } finally {
      clearTimeout(cut);
      stream.close();
    }
  }
}
