/**
 * The server's side of TLS over a connection that stands already (FTP's AUTH TLS and PROT P), which
 * also tells how the client ended it: with close_notify, the proof that nothing was cut off, or
 * without. The runtime's TLS reports both as the same end; so it never sees the end of the raw bytes
 * before it had its chance to find a close_notify in them.
 *
 *   shaking -> open -> ended (proved or not) -> closed
 *
 * Invariants: at most one read of the connection below is under way; closing closes that, at once.
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { BargeError } from "../error.ts";
import type { KeyPair } from "./certificate.ts";
import { NodePipe } from "./node_pipe.ts";
import type { Pipe } from "./stream.ts";

/** How much of the raw bytes is read at a time. */
const piece = 64 * 1024;

/** What a server shows: made once for many connections. */
export interface Shown {
  readonly context: SecureContext;
  /** The protocols that a client may name (RFC 7301); who names none is welcome, too. */
  readonly protocols: readonly string[];
}

/** @throws {BargeError} `fatal` when the certificate can't be used */
export function showing({ cert, key }: KeyPair, protocols: readonly string[]): Shown {
  try {
    return { context: createSecureContext({ cert, key, minVersion: "TLSv1.2" }), protocols };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BargeError("fatal", why, { op: "use certificate", cause });
  }
}

/** A connection with TLS. */
export interface TlsPipe extends Pipe {
  /** Did the client end its side with close_notify? Only to be asked once a read has found the end. */
  readonly proved: boolean;
}

/**
 * Shakes hands, as the server.
 *
 * @param below the connection; taken over
 * @throws {BargeError} `protocol` when it is no TLS, or none that both can speak; what `below`
 *   throws when it breaks, or is closed because the client was too slow
 */
export async function acceptTls(below: Pipe, { context, protocols }: Shown): Promise<TlsPipe> {
  const raw = new Raw(below);
  const socket = new TLSSocket(raw as unknown as ConstructorParameters<typeof TLSSocket>[0], {
    isServer: true,
    secureContext: context,
    ALPNProtocols: [...protocols],
  });
  raw.above = socket;
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("secure", resolve);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("the client closed the connection")));
    });
  } catch (cause) {
    socket.on("error", () => {/* told already */});
    socket.destroy();
    below.close();
    if (raw.broken !== undefined) throw raw.broken;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BargeError("protocol", `the TLS handshake failed: ${why}`, { cause });
  }
  return new Secured(socket, raw);
}

class Secured extends NodePipe implements TlsPipe {
  readonly #socket: TLSSocket;
  readonly #raw: Raw;

  constructor(socket: TLSSocket, raw: Raw) {
    super(socket);
    this.#socket = socket;
    this.#raw = raw;
  }

  get proved(): boolean {
    return this.#raw.proved === true;
  }

  override async read(into: Uint8Array): Promise<number | null> {
    const n = await super.read(into);
    if (n === null && this.#raw.broken !== undefined) throw this.#raw.broken;
    if (n === null) this.#raw.proved ??= true; // the end, and not of the raw bytes
    return n;
  }

  /** With close_notify. */
  override async closeWrite(): Promise<void> {
    await super.closeWrite();
    await this.#raw.flushed();
    await this.#raw.below.closeWrite();
  }

  override close(): void {
    this.#raw.below.close();
    this.#socket.destroy();
  }
}

/** The raw bytes, as Node's TLS wants them. */
class Raw extends Duplex {
  readonly below: Pipe;
  above: TLSSocket | undefined;
  /** Set at the end of the raw bytes at the latest. */
  proved: boolean | undefined;
  /** Why the connection below failed. */
  broken: unknown;
  readonly #buffer = new Uint8Array(piece);
  #writing: Promise<void> = Promise.resolve();

  constructor(below: Pipe) {
    super({ allowHalfOpen: true, autoDestroy: false });
    this.below = below;
  }

  /** Settles when all that was written is with the system. */
  flushed(): Promise<void> {
    return this.#writing;
  }

  override _read(): void {
    this.below.read(this.#buffer).then((n) => {
      if (n !== null) this.push(Buffer.from(this.#buffer.subarray(0, n)));
      else setImmediate(() => this.#end());
    }, (error) => this.#fail(error));
  }

  override _write(bytes: Uint8Array, _: unknown, done: (error?: Error | null) => void): void {
    this.#writing = this.#send(bytes).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error); // what is below is closed by Secured: close_notify may be on its way still
  }

  async #send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.below.write(at === 0 ? bytes : bytes.subarray(at));
    }
  }

  /** All raw bytes are decrypted by now: either the end was among them, or it was cut off. */
  #end(): void {
    const state = this.above as unknown as { _readableState?: { ended: boolean } };
    this.proved ??= state._readableState?.ended === true;
    this.push(null);
  }

  #fail(error: unknown): void {
    this.broken = error;
    this.proved ??= false;
    this.above?.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}
