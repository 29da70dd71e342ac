/**
 * Refuses connections beyond the limits: sends one message, drops the client's bytes, and closes. When
 * too many refusals are under way, a connection is closed without a message.
 */
import { linger } from "./linger.ts";
import type { Stream } from "../net/stream.ts";

const maxRefusals = 64;
/** The time in which a client must have read the message. */
const refusalTimeoutMs = 2_000;

export class Refusals {
  readonly #open = new Map<Stream, Promise<void>>();
  readonly #text: Uint8Array;

  /** @param text the message, in the door's protocol */
  constructor(text: Uint8Array) {
    this.#text = text;
  }

  /** @param stream taken over */
  refuse(stream: Stream): void {
    if (this.#open.size >= maxRefusals) return stream.close();
    const sending = this.#send(stream).finally(() => this.#open.delete(stream));
    this.#open.set(stream, sending);
  }

  /** Closes all connections that are being refused. */
  async stop(): Promise<void> {
    for (const stream of this.#open.keys()) stream.close();
    await Promise.all(this.#open.values());
  }

  async #send(stream: Stream): Promise<void> {
    const timer = setTimeout(() => stream.close(), refusalTimeoutMs);
    try {
      await stream.write(this.#text);
      await linger(stream, refusalTimeoutMs);
    } catch {
      /* the client is gone */
    } finally {
      clearTimeout(timer);
      stream.close();
    }
  }
}
