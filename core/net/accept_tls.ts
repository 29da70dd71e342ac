/**
 * The server's side of TLS over a connection that stands already (FTP's AUTH TLS and PROT P), which
 * also tells how the client ended it: with close_notify, the proof that nothing was cut off, or
 * without. The runtime's TLS reports both as the same end; so it is never told of the end of the raw
 * bytes: an end that it finds all the same is a close_notify.
 *
 *   shaking -> open -> ended (proved or not) -> closed
 *
 * Invariants: raw bytes are read only while somebody waits for plain ones, a piece at a time (the
 * runtime loses the end of a socket that is paused, so this is the back-pressure); closing closes
 * the connection below at once.
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { BargeError } from "../error.ts";
import type { KeyPair } from "./certificate.ts";
import { writeTo } from "./node_pipe.ts";
import type { Pipe } from "./stream.ts";

/** How many raw bytes are read at a time. */
const piece = 128 * 1024;

/** What a server shows: made once for many connections. */
export interface Shown {
  readonly context: SecureContext;
  /**
   * For connections on which the client only sends: TLS 1.2, since the tickets of 1.3 come after the
   * handshake. Who closes with them unread, as curl does, resets the connection, and what it has
   * sent and we have not read yet is lost.
   */
  readonly quiet: SecureContext;
  /** The protocols that a client may name (RFC 7301); who names none is welcome, too. */
  readonly protocols: readonly string[];
}

/** @throws {BargeError} `fatal` when the certificate can't be used */
export function showing({ cert, key }: KeyPair, protocols: readonly string[]): Shown {
  try {
    const pair = { cert, key, minVersion: "TLSv1.2" as const };
    const context = createSecureContext(pair);
    return { context, quiet: createSecureContext({ ...pair, maxVersion: "TLSv1.2" }), protocols };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BargeError("fatal", why, { op: "use certificate", cause });
  }
}

/**
 * Shakes hands, as the server.
 *
 * @param below the connection: taken over, unless this fails; then it is the caller's to close
 * @throws {BargeError} `protocol` when it is no TLS, or none that both can speak; what `below`
 *   throws when it breaks, or is closed because the client was too slow
 */
export async function acceptTls(below: Pipe, shown: Shown): Promise<TlsPipe> {
  const pipe = new TlsPipe(below, shown);
  try {
    await pipe.shake();
    return pipe;
  } catch (error) {
    pipe.abandon();
    throw error;
  }
}

export class TlsPipe implements Pipe {
  readonly #below: Pipe;
  readonly #raw: Raw;
  readonly #socket: TLSSocket;
  readonly #buffer = new Uint8Array(piece);
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

  constructor(below: Pipe, { context, protocols }: Shown) {
    this.#below = below;
    this.#raw = new Raw(below);
    const over = this.#raw as unknown as ConstructorParameters<typeof TLSSocket>[0];
    const options = { isServer: true, secureContext: context, ALPNProtocols: [...protocols] };
    const socket = this.#socket = new TLSSocket(over, options);
    socket.on("secure", () => {
      this.#secure = true;
      this.#wake();
    });
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
    socket.on("close", () => this.#end());
  }

  /** Did the client end its side with close_notify? */
  get proved(): boolean {
    return this.#proved;
  }

  /** @throws as {@link acceptTls} */
  async shake(): Promise<void> {
    while (!this.#secure) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) throw new BargeError("protocol", "the client ended the TLS handshake");
      await this.#more();
    }
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

  /** The bytes may be used again when it is done. */
  write(bytes: Uint8Array): Promise<number> {
    return writeTo(this.#socket, bytes, () => this.#error);
  }

  /** With close_notify. */
  async closeWrite(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#socket.destroyed) resolve();
      else this.#socket.end(() => resolve());
    });
    await this.#raw.sent;
    await this.#below.closeWrite();
  }

  close(): void {
    this.#below.close();
    this.abandon();
  }

  /** Ends the TLS, and leaves the connection below as it is. */
  abandon(): void {
    this.#socket.destroy();
    this.#end();
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
      // What is in them has come out after this.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (n === null) this.#end();
    } catch (error) {
      this.#raw.broken = error;
      this.#end(error);
    }
  }

  /** The first end counts: a client that is gone after its close_notify leaves nothing unread. */
  #end(error?: unknown): void {
    if (!this.#ended) this.#error = error;
    this.#ended = true;
    this.#wake();
  }
}

/** The raw bytes, as Node's TLS wants them: what is pushed is read, what it writes goes below. */
class Raw extends Duplex {
  /** Why the connection below failed. */
  broken: unknown;
  /** Settles when all that was written is with the system. */
  sent: Promise<void> = Promise.resolve();
  readonly #below: Pipe;

  constructor(below: Pipe) {
    super({ allowHalfOpen: true, autoDestroy: false });
    this.#below = below;
  }

  override _read(): void {/* pushed when it comes */}

  override _write(bytes: Uint8Array, _: unknown, done: (error?: Error | null) => void): void {
    this.sent = this.#send(bytes).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error); // the connection stays open: close_notify may be on its way still
  }

  async #send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#below.write(at === 0 ? bytes : bytes.subarray(at));
    }
  }
}
