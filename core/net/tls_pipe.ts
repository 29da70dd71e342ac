/**
 * TLS laid over a connection that stands already, either side of it. It also tells how the peer
 * ended: with close_notify, the proof that nothing was cut off, or without. The runtime's TLS
 * reports both as the same end; so it is never told of the end of the raw bytes: an end that it
 * finds all the same is a close_notify.
 *
 *   shaking -> open -> ended (proved or not) -> closed
 *
 * Invariants: raw bytes are read only while somebody waits for plain ones, a piece at a time (the
 * runtime loses the end of a TLS socket that is paused, so this is the back-pressure); closing
 * closes the connection below at once, whatever is under way.
 *
 * Deno's own TLS can't be used against strangers: closing one of its connections waits, out of
 * reach, until the peer has shaken hands or has read what was written to it, and keeps the socket
 * until then. It also tells nobody which certificate it was shown.
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import type { TLSSocket } from "node:tls";
import { BargeError } from "../error.ts";
import type { Pipe } from "./stream.ts";

/** The name that barge's own client and server agree on in the handshake (RFC 7301). */
export const alpn = "barge/1";

/**
 * How many raw bytes are read at a time: few while little comes, so that a thousand idle connections
 * cost little.
 */
const [least, most] = [4 * 1024, 128 * 1024];

/** Begins TLS as one of its sides over the raw bytes. */
export type Lay = (raw: Duplex) => TLSSocket;

export class TlsPipe implements Pipe {
  readonly socket: TLSSocket;
  /** The binding to the certificate that the server has shown on this connection (channel_binding.ts). */
  endPoint: string | undefined;
  readonly #below: Pipe;
  readonly #raw: Raw;
  #buffer = new Uint8Array(least);
  /** Plain bytes that nobody has taken yet: at most what one raw piece held. */
  #unread: Uint8Array[] = [];
  #secure = false;
  #ended = false;
  #proved = false;
  #error: unknown;
  /** The raw read that is under way. */
  #reading: Promise<void> | undefined;
  #rawOver = false;
  #wake: () => void = () => {};
  /** Ends the waits of writers. */
  readonly #stuck = new Set<() => void>();

  /** @param below taken over: closing the pipe closes it */
  constructor(below: Pipe, lay: Lay) {
    this.#below = below;
    this.#raw = new Raw(below, () => this.#release());
    const socket = this.socket = lay(this.#raw);
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
      this.#proved = true;
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

  /** Did the peer end its side with close_notify? */
  get proved(): boolean {
    return this.#proved;
  }

  /**
   * Waits for the end of the handshake.
   *
   * @throws {BargeError} `protocol` when the peer speaks no TLS, or none that both can;
   *   `unavailable` when it hung up; what `below` throws when it breaks or is closed
   */
  async shake(): Promise<void> {
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

  /** Writes all of the bytes, which may be used again when it is done. */
  write(bytes: Uint8Array): Promise<number> {
    const why = () => this.#error ?? this.#raw.broken;
    if (this.socket.destroyed || this.#raw.broken !== undefined) {
      return Promise.reject(why() ?? new Deno.errors.BadResource("the connection is closed"));
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const fail = () => reject(why() ?? new Deno.errors.BrokenPipe("the connection broke"));
    this.#stuck.add(fail);
    this.socket.write(bytes, (error) => {
      this.#stuck.delete(fail);
      if (error) reject(this.#raw.broken ?? error);
      else resolve(bytes.length);
    });
    return promise;
  }

  /** With close_notify. */
  async closeWrite(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.socket.destroyed || this.#raw.broken !== undefined) {
      resolve();
    } else {
      this.#stuck.add(resolve);
      this.socket.end(resolve);
    }
    await promise;
    this.#stuck.delete(resolve);
    await this.#raw.sent;
    await this.#below.closeWrite();
  }

  close(): void {
    this.#below.close();
    this.abandon();
  }

  /** Has our side of the handshake begun? */
  get spoken(): boolean {
    return this.#raw.spoken;
  }

  /** Ends the TLS, and leaves the connection below as it is. */
  abandon(): void {
    this.socket.destroy();
    this.#end();
    this.#release();
  }

  /** Waits until something has come of the raw bytes, or the next of them. */
  async #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    this.#reading ??= this.#feed().finally(() => this.#reading = undefined);
    await Promise.race([promise, this.#reading]);
  }

  /** Never throws. */
  async #feed(): Promise<void> {
    try {
      const n = this.#rawOver ? null : await this.#below.read(this.#buffer);
      if (n !== null) this.#raw.push(Buffer.from(this.#buffer.subarray(0, n)));
      this.#rawOver = n === null;
      // Their bytes have come out after this.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (n === null) this.#end();
      else this.#fit(n);
    } catch (error) {
      this.#raw.broken = error;
      this.#end(error);
    }
  }

  /** The next piece, after one of n bytes. */
  #fit(n: number): void {
    const { length } = this.#buffer;
    if (n === length && length < most) this.#buffer = new Uint8Array(2 * length);
    else if (n < least / 4 && length > least) this.#buffer = new Uint8Array(least);
  }

  /** The first end counts: a client that is gone after its close_notify leaves nothing unread. */
  #end(error?: unknown): void {
    if (!this.#ended) this.#error = error;
    this.#ended = true;
    this.#wake();
    if (error !== undefined) this.#release();
  }

  /** Notes a failed write of the TLS library, which does not report it by itself. */
  #release(): void {
    for (const end of this.#stuck) end();
    this.#stuck.clear();
  }
}

/** The raw bytes, as Node's TLS wants them: what is pushed is read, what it writes goes below. */
class Raw extends Duplex {
  /** Why the connection below failed. */
  broken: unknown;
  /** Was anything written? */
  spoken = false;
  /** Settles when all that was written is with the system. */
  sent: Promise<void> = Promise.resolve();
  readonly #below: Pipe;
  readonly #onBroken: () => void;

  /** @param onBroken called when writing to the connection below has failed */
  constructor(below: Pipe, onBroken: () => void) {
    super({ allowHalfOpen: true, autoDestroy: false });
    this.#below = below;
    this.#onBroken = onBroken;
    this.on("error", () => {/* `broken` has it */});
  }

  override _read(): void {/* pushed when it comes */}

  override _write(bytes: Uint8Array, _: unknown, done: (error?: Error | null) => void): void {
    this.spoken = true;
    this.sent = this.#send(bytes).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error); // the connection stays open: close_notify may be on its way still
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
