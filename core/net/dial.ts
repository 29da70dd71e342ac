/** Connects to a server, within a time limit. */
import { BargeError, typed } from "../error.ts";
import { type Address, formatAddress } from "./address.ts";
import { Stream } from "./stream.ts";

export interface DialOptions {
  /** Milliseconds until the connection must stand. */
  readonly timeout: number;
  /** Milliseconds without progress before the connection is cut, once it stands. */
  readonly patience: number;
  readonly signal?: AbortSignal;
}

/**
 * @returns an open stream; the caller closes it
 * @throws {BargeError} `unavailable` when nobody answers there in time; `interrupted` by the signal
 */
export async function dial(address: Address, options: DialOptions): Promise<Stream> {
  const peer = formatAddress(address);
  const timeout = AbortSignal.timeout(options.timeout);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  try {
    const conn = await Deno.connect({ hostname: address.host, port: address.port, signal });
    return new Stream(conn, peer, options.patience);
  } catch (cause) {
    if (options.signal?.aborted) {
      throw typed(options.signal.reason, { op: "connect to", path: peer });
    }
    if (timeout.aborted) {
      throw new BargeError("unavailable", `no answer within ${options.timeout / 1000} s`, {
        op: "connect to",
        path: peer,
      });
    }
    const refused = cause instanceof Deno.errors.ConnectionRefused;
    throw new BargeError("unavailable", refused ? "nothing listens there" : reason(cause), {
      op: "connect to",
      path: peer,
      hint: refused ? "is `barge serve` running?" : undefined,
      cause,
    });
  }
}

function reason(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/ \(os error \d+\)/, "");
}
