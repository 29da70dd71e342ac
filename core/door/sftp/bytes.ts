/**
 * The bytes of a channel, to be asked for.
 *
 * Invariants: no more than `most` bytes wait to be read, beside what the client's window lets through
 * (2 MiB); what is sent waits until the client takes it; once the channel is gone, for whatever
 * reason, reading ends and sending throws `unavailable`.
 */
import { Buffer } from "node:buffer";
import { BargeError } from "../../error.ts";
import type { Channel } from "./ssh2.ts";
import type { Wire } from "./wire.ts";

const most = 1024 * 1024;

export class ChannelBytes {
  readonly #channel: Channel;
  readonly #wire: Wire;
  /** In order; of the first, `#skipped` bytes are taken already. */
  #chunks: Buffer[] = [];
  #skipped = 0;
  #size = 0;
  #ended = false;
  #gone = false;
  #wake: (() => void) | undefined;
  readonly #sending = new Set<() => void>();
  readonly #cut = () => this.#end(true);

  constructor(channel: Channel, wire: Wire) {
    this.#channel = channel;
    this.#wire = wire;
    channel.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      if (this.#size >= most) channel.pause();
      this.#notify();
    });
    channel.on("end", () => this.#end(false));
    channel.on("close", () => this.#end(true));
    channel.on("error", () => this.#end(true));
    wire.once("close", this.#cut);
  }

  /** How many bytes can be taken now. */
  get size(): number {
    return this.#size;
  }

  /** Is nobody there any more to send to? */
  get gone(): boolean {
    return this.#gone;
  }

  /** Waits until so many bytes are there. @returns false when they will not come any more */
  async need(size: number): Promise<boolean> {
    while (this.#size < size) {
      if (this.#ended) return false;
      if (this.#channel.isPaused()) this.#channel.resume();
      if (this.#size >= size) break;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return true;
  }

  /** Looks at the next four bytes, which are there, as a number (big-endian). */
  peekInt(): number {
    const [first] = this.#chunks;
    if (first.length - this.#skipped >= 4) return first.readUInt32BE(this.#skipped);
    let value = 0;
    let at = this.#skipped;
    for (let i = 0, chunk = 0; i < 4; i++) {
      while (at >= this.#chunks[chunk].length) {
        chunk++;
        at = 0;
      }
      value = value * 256 + this.#chunks[chunk][at++];
    }
    return value;
  }

  /** Takes so many bytes, which are there. They stay as they are. */
  take(size: number): Uint8Array {
    const [first] = this.#chunks;
    if (first && first.length - this.#skipped >= size) {
      const bytes = first.subarray(this.#skipped, this.#skipped + size);
      this.#forget(size);
      return bytes;
    }
    const all = Buffer.allocUnsafe(size);
    for (let at = 0; at < size;) {
      const piece = this.#chunks[0].subarray(this.#skipped, this.#skipped + size - at);
      all.set(piece, at);
      at += piece.length;
      this.#forget(piece.length);
    }
    return all;
  }

  /** Takes what is there, but not more than `limit` bytes; at least one must be. */
  some(limit: number): Uint8Array {
    return this.take(Math.min(limit, this.#chunks[0].length - this.#skipped));
  }

  /**
   * Sends bytes, and waits until there is room for more. A client that opens no window for them in
   * time is cut.
   *
   * @throws {BargeError} `unavailable` when nobody is there
   */
  async send(bytes: Uint8Array, to: "stdout" | "stderr" = "stdout"): Promise<void> {
    if (this.#gone) throw gone();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cut = () => reject(gone());
    this.#sending.add(cut);
    let late: ReturnType<typeof setTimeout> | undefined;
    try {
      const stream = to === "stdout" ? this.#channel : this.#channel.stderr;
      stream.write(bytes, (error) => error ? cut() : resolve());
      if (stream.writableLength > 0) late = this.#wire.cutAfterPatience();
      await promise;
      await this.#wire.room();
    } catch {
      throw gone();
    } finally {
      clearTimeout(late);
      this.#sending.delete(cut);
    }
  }

  /** Ends the channel. @param status the exit code of what was run */
  end(status: number): void {
    if (this.#gone) return;
    this.#gone = true;
    try {
      this.#channel.exit(status);
      this.#channel.end();
      this.#channel.close();
    } catch { /* the connection is gone already */ }
  }

  #forget(size: number): void {
    this.#size -= size;
    this.#skipped += size;
    while (this.#chunks.length > 0 && this.#skipped >= this.#chunks[0].length) {
      this.#skipped -= this.#chunks.shift()!.length;
    }
    if (this.#size < most / 2 && this.#channel.isPaused()) this.#channel.resume();
  }

  #end(gone: boolean): void {
    this.#ended = true;
    this.#gone ||= gone;
    if (gone) {
      this.#wire.off("close", this.#cut);
      for (const cut of this.#sending) cut();
    }
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

function gone(): BargeError {
  return new BargeError("unavailable", "the client is gone");
}
