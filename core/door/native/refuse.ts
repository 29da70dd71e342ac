/**
 * What a client is told for whom there is no place: one frame, as the answer to its hello, and then
 * the connection ends. Nothing that it sends is looked at. Only so many are told at once; who comes
 * beyond that is closed without a word.
 */
import { BargeError } from "../../error.ts";
import type { Stream } from "../../net/stream.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { failure } from "../../protocol/message.ts";

const most = 64;
/** A client that is told must have read it within so many ms. */
const within = 2_000;
const frame = encodeFrame(failure(
  new BargeError("unavailable", "there are too many connections", {
    op: "connect",
    hint: "try again later, or end some of your own",
  }),
));

/** Those that are being told. */
export class Refusals {
  readonly #open = new Map<Stream, Promise<void>>();

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
      await stream.write(frame);
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
