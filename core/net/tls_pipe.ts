/**
 * TLS over an open connection, for either side. It reports whether the peer ended its side with
 * close_notify, which proves that nothing was cut off. The runtime reports an end with close_notify and
 * the end of the raw bytes alike. So the end of the raw bytes is not passed on to the runtime, and each
 * end that it reports is a close_notify.
 *
 *   handshake -> open -> ended (proved or not) -> closed
 *
 * Invariants: raw bytes are read only while a reader waits for plain ones, a piece at a time (this is
 * the back-pressure: the runtime loses the end of a TLS socket that is paused); closing the pipe closes
 * the connection below at once.
 *
 * Deno's own TLS can't be used with untrusted peers: after a close, it keeps the connection until the peer
 * has finished the handshake or has read all bytes. It does not report the server's certificate, either.
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import type { TLSSocket } from "node:tls";
import { BargeError } from "../error.ts";
import { maxMethodBytes } from "./plain_http.ts";
import type { Pipe } from "./stream.ts";

/** The name that barge's own client and server agree on in the handshake (RFC 7301). */
export const alpn = "barge/1";

/** The buffer sizes of a raw read: small while few bytes arrive, so that idle connections cost little. */
const [minReadBytes, maxReadBytes] = [4 * 1024, 128 * 1024];

export class TlsPipe implements Pipe {
  readonly socket: TLSSocket;
  /** The binding to the server's certificate (channel_binding.ts). */
  tlsBinding: string | undefined;
  readonly #below: Pipe;
  readonly #raw: Raw;
  #buffer = new Uint8Array(minReadBytes);
  /** The first bytes of the first raw read, at most {@link maxMethodBytes}. */
  firstRaw: Uint8Array | undefined;
  /** Plain bytes that were not read yet: at most those of one raw piece. */
  #unread: Uint8Array[] = [];
  #secure = false;
  #ended = false;
  /** True if the peer ended its side with close_notify. */
  proved = false;
  #error: unknown;
  /** The raw read that is under way. */
  #reading: Promise<void> | undefined;
  #rawEnded = false;
  #wake: () => void = () => {};
  /** Functions that end the waits of writers. */
  readonly #writers = new Set<() => void>();

  /**
   * @param below closed with the pipe
   * @param begin begins TLS, as one of its sides, over the raw bytes
   */
  constructor(below: Pipe, begin: (raw: Duplex) => TLSSocket) {
    this.#below = below;
    this.#raw = new Raw(below, () => this.#release());
    const socket = this.socket = begin(this.#raw);
    for (const event of ["secure", "secureConnect"]) {
      socket.on(event, () => {
        this.#secure = true;
        this.#wake();
      });
    }
    socket.on("data", (bytes: Uint8Array) => {
      this.#unread.push(bytes);
      this.#wake();
    });
    socket.on("end", () => {
      this.proved = true;
      this.#end();
    });
    socket.on("error", (error: Error) => {
      const why = `TLS failed: ${error.message}`;
      this.#end(this.#raw.broken ?? new BargeError("protocol", why, { cause: error }));
    });
    socket.on("close", () => {
      this.#end();
      this.#release();
    });
  }

  /**
   * Waits for the end of the handshake.
   *
   * @throws {BargeError} `protocol` when the peer does not speak TLS, or no version in common;
   *   `unavailable` when it hung up; the error of `below` when that breaks or is closed
   */
  async handshake(): Promise<void> {
    while (!this.#secure && !this.#ended) await this.#more();
    if (this.#secure) return;
    throw this.#error ?? new BargeError("unavailable", "the peer hung up during the TLS handshake");
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#unread.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return null;
      await this.#more();
    }
    let n = 0;
    while (n < into.length && this.#unread.length > 0) {
      const [first] = this.#unread;
      const part = first.subarray(0, into.length - n);
      into.set(part, n);
      n += part.length;
      if (part.length === first.length) this.#unread.shift();
      else this.#unread[0] = first.subarray(part.length);
    }
    return n;
  }

  /** Writes all of the bytes. Their buffer may be used again afterwards. */
  write(bytes: Uint8Array): Promise<number> {
    const why = () => this.#error ?? this.#raw.broken;
    if (this.socket.destroyed || this.#raw.broken !== undefined) {
      return Promise.reject(why() ?? new Deno.errors.BadResource("the connection is closed"));
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const fail = () => reject(why() ?? new Deno.errors.BrokenPipe("the connection broke"));
    this.#writers.add(fail);
    this.socket.write(bytes, (error) => {
      this.#writers.delete(fail);
      if (error) reject(this.#raw.broken ?? error);
      else resolve(bytes.length);
    });
    return promise;
  }

  /** Ends our side, with close_notify. */
  async closeWrite(): Promise<void> {
    if (!this.socket.destroyed && this.#raw.broken === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#writers.add(resolve);
      this.socket.end(resolve);
      await promise;
      this.#writers.delete(resolve);
    }
    await this.#raw.sent;
    await this.#below.closeWrite();
  }

  close(): void {
    this.#below.close();
    this.abandon();
  }

  /** Whether our side has sent anything. */
  get spoken(): boolean {
    return this.#raw.spoken;
  }

  /** Ends TLS, and leaves the connection below open. */
  abandon(): void {
    this.socket.destroy();
    this.#end();
    this.#release();
  }

  /** Waits until TLS has processed the next raw bytes, or has something for the reader. */
  async #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    this.#reading ??= this.#feed().finally(() => this.#reading = undefined);
    await Promise.race([promise, this.#reading]);
  }

  /** Reads raw bytes from the connection below and gives them to TLS. Never throws. */
  async #feed(): Promise<void> {
    try {
      const n = this.#rawEnded ? null : await this.#below.read(this.#buffer);
      this.firstRaw ??= this.#buffer.slice(0, Math.min(n ?? 0, maxMethodBytes));
      if (n !== null) this.#raw.push(Buffer.from(this.#buffer.subarray(0, n)));
      this.#rawEnded = n === null;
      // The TLS library hands out the plain bytes of this piece before this resolves.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (n === null) this.#end();
      else this.#fit(n);
    } catch (error) {
      this.#raw.broken = error;
      this.#end(error);
    }
  }

  /** Fits the buffer to a read of n bytes. */
  #fit(n: number): void {
    const { length } = this.#buffer;
    if (n === length && length < maxReadBytes) this.#buffer = new Uint8Array(2 * length);
    else if (n < minReadBytes / 4 && length > minReadBytes) {
      this.#buffer = new Uint8Array(minReadBytes);
    }
  }

  /** Records the first end: an error after a close_notify does not count. */
  #end(error?: unknown): void {
    if (!this.#ended) this.#error = error;
    this.#ended = true;
    this.#wake();
    if (error !== undefined) this.#release();
  }

  /** Ends all waits of writers; the TLS library does not report a failed write by itself. */
  #release(): void {
    for (const end of this.#writers) end();
    this.#writers.clear();
  }
}

/** The raw bytes as a Node stream: pushed bytes are read by TLS; its writes go to the connection. */
class Raw extends Duplex {
  /** The error of the connection below. */
  broken: unknown;
  spoken = false;
  /** Settles when the system has all written bytes. */
  sent: Promise<void> = Promise.resolve();
  readonly #below: Pipe;
  readonly #onBroken: () => void;

  /** @param onBroken called when writing to the connection below has failed */
  constructor(below: Pipe, onBroken: () => void) {
    super({ allowHalfOpen: true, autoDestroy: false });
    this.#below = below;
    this.#onBroken = onBroken;
    this.on("error", () => {/* see `broken` */});
  }

  override _read(): void {/* bytes are pushed when they arrive */}

  override _write(bytes: Uint8Array, _: unknown, done: (error?: Error | null) => void): void {
    this.spoken = true;
    this.sent = this.#send(bytes).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error); // the connection stays open: close_notify may still be under way
  }

  async #send(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#below.write(at === 0 ? bytes : bytes.subarray(at));
      }
    } catch (error) {
      this.broken ??= error;
      this.#onBroken();
      throw error;
    }
  }
}
