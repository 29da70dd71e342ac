/**
 * Reads and writes the bytes of a channel on demand.
 *
 * Invariants: at most `maxBufferedBytes`, and the client's window (2 MiB), wait to be read; a send ends
 * when the client has room for its bytes; once the channel is closed, reads return the end and sends throw
 * `unavailable`.
 */
import { Buffer } from "node:buffer";
import { BargeError } from "../../error.ts";
import type { Channel } from "./ssh2.ts";
import type { SshSocket } from "./socket.ts";

const maxBufferedBytes = 1024 * 1024;

export class ChannelBytes {
  readonly #channel: Channel;
  readonly #socket: SshSocket;
  /** The bytes that arrived, in order; `#skipped` bytes of the first chunk are taken already. */
  #chunks: Buffer[] = [];
  #skipped = 0;
  #size = 0;
  #ended = false;
  #gone = false;
  #wake: (() => void) | undefined;
  readonly #sending = new Set<() => void>();
  readonly #cut = () => this.#end(true);

  constructor(channel: Channel, socket: SshSocket) {
    this.#channel = channel;
    this.#socket = socket;
    channel.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      if (this.#size >= maxBufferedBytes) channel.pause();
      this.#notify();
    });
    channel.on("end", () => this.#end(false));
    channel.on("close", () => this.#end(true));
    channel.on("error", () => this.#end(true));
    socket.once("close", this.#cut);
  }

  /** The number of bytes that can be taken now. */
  get size(): number {
    return this.#size;
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Waits until `size` bytes can be taken. @returns false when the client has ended its side before */
  async need(size: number): Promise<boolean> {
    while (this.#size < size) {
      if (this.#ended) return false;
      if (this.#channel.isPaused()) this.#channel.resume();
      if (this.#size >= size) break;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return true;
  }

  /** Takes bytes, which do not change later; call `need` first. */
  take(size: number): Buffer {
    const [first] = this.#chunks;
    if (first && first.length - this.#skipped >= size) {
      const bytes = first.subarray(this.#skipped, this.#skipped + size);
      this.#forget(size);
      return bytes;
    }
    const all = Buffer.allocUnsafe(size);
    this.takeInto(all);
    return all;
  }

  /** Takes as many bytes as a buffer holds; call `need` first. */
  takeInto(into: Uint8Array): void {
    for (let at = 0; at < into.length;) {
      const piece = this.#chunks[0].subarray(this.#skipped, this.#skipped + into.length - at);
      into.set(piece, at);
      at += piece.length;
      this.#forget(piece.length);
    }
  }

  /** Takes the next bytes, at most `limit`; call `need(1)` first. */
  takeSome(limit: number): Buffer {
    return this.take(Math.min(limit, this.#chunks[0].length - this.#skipped));
  }

  /**
   * Sends bytes, and waits until there is room for more. A client that does not open its window in time is disconnected.
   *
   * @throws {BargeError} `unavailable` when the client is gone
   */
  async send(bytes: Uint8Array, to: "stdout" | "stderr" = "stdout"): Promise<void> {
    if (this.#gone) throw gone();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cut = () => reject(gone());
    this.#sending.add(cut);
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const stream = to === "stdout" ? this.#channel : this.#channel.stderr;
      stream.write(bytes, (error) => error ? cut() : resolve());
      if (stream.writableLength > 0) timer = this.#socket.closeAfterTimeout();
      await promise;
      await this.#socket.room();
    } catch {
      throw gone();
    } finally {
      clearTimeout(timer);
      this.#sending.delete(cut);
    }
  }

  end(exitCode: number): void {
    if (this.#gone) return;
    this.#gone = true;
    try {
      this.#channel.exit(exitCode);
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
    if (this.#size < maxBufferedBytes / 2 && this.#channel.isPaused()) this.#channel.resume();
  }

  #end(gone: boolean): void {
    this.#ended = true;
    this.#gone ||= gone;
    if (gone) {
      this.#socket.off("close", this.#cut);
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

export function gone(): BargeError {
  return new BargeError("unavailable", "the client is gone");
}
