/** Connects to a server, within a time limit, with TLS or without. */
import { BargeError, typed } from "../error.ts";
import { type Address, formatAddress } from "./address.ts";
import { connect } from "./connect.ts";
import { PipeOver } from "./pipe_over.ts";
import { type Pipe, Stream } from "./stream.ts";
import type { Trust } from "./trust.ts";

export interface DialOptions {
  /** Milliseconds until the connection must be open, handshake included. */
  readonly timeout: number;
  /** Milliseconds without progress before the open connection is cut. */
  readonly idleTimeoutMs: number;
  readonly signal?: AbortSignal;
  /** The certificates to trust; undefined for no TLS. */
  readonly trust?: Trust;
}

/**
 * Connects to a server.
 *
 * @returns an open stream, with TLS to a trusted server; the caller closes it
 * @throws {BargeError} `unavailable` when no server answers in time; `identity` when the server is
 *   not trusted, or only one side speaks TLS; `interrupted` by the signal
 */
export async function dial(address: Address, options: DialOptions): Promise<Stream> {
  const { trust, idleTimeoutMs } = options;
  const peer = formatAddress(address);
  const timeout = AbortSignal.timeout(options.timeout);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  try {
    const pipe = trust
      ? await encrypted(address, trust, signal)
      : new PlainPipe(await connect(address, signal));
    return new Stream(pipe, peer, idleTimeoutMs);
  } catch (cause) {
    const late = `no answer within ${options.timeout / 1000} s`;
    const error = options.signal?.aborted
      ? options.signal.reason
      : timeout.aborted
      ? new BargeError("unavailable", late)
      : cause;
    throw typed(error, { op: "connect to", path: peer });
  }
}

async function encrypted(address: Address, trust: Trust, signal: AbortSignal): Promise<Pipe> {
  // Loading TLS takes about as long as connecting to a distant server, so it takes place meanwhile.
  const connecting = connect(address, signal);
  connecting.catch(() => {/* dialTls reports it */});
  const [{ dialTls }, { decide }] = await Promise.all([
    import("./dial_tls.ts"),
    import("./trust.ts"),
    seedRandom(),
  ]);
  const { pipe, presented } = await dialTls(address, signal, {
    plainHint: trust.plainHint,
    connecting,
  });
  try {
    await decide(address, presented, trust);
    return pipe;
  } catch (error) {
    pipe.close();
    throw error;
  }
}

/**
 * Seeds the random numbers of the runtime's TLS. Their first use takes 30 ms of CPU time; making a key takes them on
 * another thread, while the main one loads modules.
 */
async function seedRandom(): Promise<void> {
  await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
}

/** A connection without TLS, which detects a server that expects TLS by its alert. */
class PlainPipe extends PipeOver<Deno.TcpConn | Deno.UnixConn> {
  #first = true;

  override async read(into: Uint8Array): Promise<number | null> {
    const n = await super.read(into);
    // RFC 8446, section 5.1: type 21 (alert), version 3.x. No frame begins so: its length would be too large.
    if (this.#first && n !== null && n >= 2 && into[0] === 21 && into[1] === 3) {
      throw new BargeError("identity", "the server speaks TLS, and this connection is plain", {
        hint: "use --tls",
      });
    }
    this.#first = false;
    return n;
  }
}
