/**
 * The socket for `ssh2`: a `Stream`, with its deadlines, as a Node duplex.
 *
 * Invariants: the packets of one turn of the event loop leave in one piece; nothing is read while more
 * than `maxUnsentBytes` wait for the client, so that a client that never reads is cut by its deadline. A
 * buffer that was read into is used again only after the login: `ssh2` keeps parts of unencrypted packets.
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { BargeError } from "../../error.ts";
import { abandon, borrow, giveBack } from "../../disk/buffer_pool.ts";
import type { Stream } from "../../net/stream.ts";
import type { Brake } from "../brake.ts";
import { type LaterBytes, LaterPayloads } from "./cipher/later.ts";

const readBytes = 64 * 1024;
/** The size of the buffer of a connection until a read has filled it; from then on it is `readBytes`. */
const firstReadBytes = 4 * 1024;
/** Received pieces up to this size are copied, and their buffer is used again. */
const maxCopiedBytes = 16 * 1024;
/** Packets up to this size are joined in fresh memory; larger ones in a buffer that is used again. */
const maxJoinedBytes = 32 * 1024;
/** The received packets under decryption beyond which nothing is read: half a megabyte of large ones. */
const maxLaterPayloads = 16;
/** The unsent bytes beyond which neither the client nor a file is read. */
const maxUnsentBytes = 1024 * 1024;

type Chunk = Uint8Array | LaterBytes;

interface SocketOptions {
  /** The longest time in which the client reads nothing, in ms. */
  readonly readTimeoutMs: number;
  /** Returns the brake of a direction; called before each piece. */
  readonly brake: (direction: "up" | "down") => Brake | undefined;
}

export class SshSocket extends Duplex {
  /** The client's address, which `ssh2` reports with the connection. */
  readonly remoteAddress: string;
  /** Whether all packets are encrypted from now on. */
  encrypted = false;
  readonly #stream: Stream;
  readonly #options: SocketOptions;
  #buffer = Buffer.allocUnsafeSlow(firstReadBytes);
  #corked = false;
  /** The number of bytes that were written and are not sent yet. */
  #unsentBytes = 0;
  /** Received packets that are not handed on yet. */
  #later: LaterPayloads | undefined;
  #waiting: (() => void)[] = [];

  constructor(stream: Stream, options: SocketOptions) {
    // Chunks are objects, since those of other threads have no bytes yet.
    super({ allowHalfOpen: false, writableObjectMode: true, autoDestroy: true });
    this.setMaxListeners(0); // each channel has one, until it ends
    this.#stream = stream;
    this.#options = options;
    this.remoteAddress = stream.peer;
  }

  /** Waits until fewer than `maxUnsentBytes` are unsent, or the socket is closed. */
  async room(): Promise<void> {
    while (this.#unsentBytes >= maxUnsentBytes && !this.destroyed) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Returns a timer that closes the connection unless it is cleared before. */
  closeAfterTimeout(): ReturnType<typeof setTimeout> {
    const { readTimeoutMs } = this.#options;
    const why = `${this.remoteAddress} has read nothing for ${Math.round(readTimeoutMs / 1000)} s`;
    return setTimeout(() => this.destroy(new BargeError("unavailable", why)), readTimeoutMs);
  }

  // deno-lint-ignore no-explicit-any
  override write(...args: any[]): boolean {
    if (args[0] instanceof LaterPayloads) {
      this.#later = args[0];
      args[0].done.catch((error) => this.destroy(error));
      return true;
    }
    if (!this.#corked) {
      this.#corked = true;
      this.cork();
      queueMicrotask(() => {
        this.#corked = false;
        this.uncork();
      });
    }
    this.#unsentBytes += (args[0] as Chunk).length;
    return super.write(...args as Parameters<Duplex["write"]>);
  }

  override _read(): void {
    this.#pull().catch((error) => this.destroy(error));
  }

  /** Also called for a single chunk: there is no `_write`. */
  override _writev(chunks: { chunk: Chunk }[], done: (error?: Error) => void): void {
    const all = chunks.map(({ chunk }) => chunk);
    const bytes = all.reduce((sum, { length }) => sum + length, 0);
    this.#sendAll(all, bytes).then(() => {
      this.#unsentBytes -= bytes;
      done();
      this.#release();
    }, done);
  }

  override _final(done: (error?: Error) => void): void {
    this.#stream.end().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.close();
    this.#release();
    done(error);
  }

  async #pull(): Promise<void> {
    await this.room();
    if (this.#later && this.#later.count >= maxLaterPayloads) await this.#later.done;
    const brake = this.#options.brake("up");
    const into = brake ? this.#buffer.subarray(0, brake.piece) : this.#buffer;
    const n = await this.#stream.read(into);
    if (n === null) {
      await this.#later?.done;
      return void this.push(null);
    }
    await brake?.hold(n);
    if (n === firstReadBytes && this.#buffer.length === firstReadBytes) {
      this.#buffer = Buffer.allocUnsafeSlow(readBytes);
    }
    if (n <= maxCopiedBytes) return void this.push(Buffer.copyBytesFrom(into, 0, n));
    this.push(into.subarray(0, n));
    // The stream holds the bytes if nobody has listened.
    if (this.encrypted && this.readableLength === 0) return;
    this.#buffer = Buffer.allocUnsafeSlow(readBytes);
  }

  async #sendAll(chunks: readonly Chunk[], bytes: number): Promise<void> {
    if (chunks.length === 1) {
      return await this.#send(chunks[0] instanceof Uint8Array ? chunks[0] : await chunks[0].bytes);
    }
    const buffer = bytes > maxJoinedBytes ? borrow(bytes) : undefined;
    const joined = buffer ?? Buffer.allocUnsafe(bytes);
    try {
      let end = 0;
      for (const chunk of chunks) {
        if (end + chunk.length > joined.length) {
          await this.#send(joined.subarray(0, end));
          end = 0;
        }
        const part = chunk instanceof Uint8Array ? chunk : await chunk.bytes;
        if (part.length > joined.length) await this.#send(part);
        else {
          joined.set(part, end);
          end += part.length;
        }
      }
      await this.#send(joined.subarray(0, end));
    } catch (error) {
      if (buffer) abandon(buffer);
      throw error;
    }
    if (buffer) giveBack(buffer);
  }

  async #send(bytes: Uint8Array): Promise<void> {
    const { readTimeoutMs } = this.#options;
    const brake = this.#options.brake("down");
    const piece = brake?.piece ?? bytes.length;
    for (let at = 0; at < bytes.length; at += piece) {
      const part = bytes.subarray(at, at + piece);
      await brake?.hold(part.length);
      await this.#stream.write(part, readTimeoutMs);
    }
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
