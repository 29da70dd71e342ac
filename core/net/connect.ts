import { BargeError } from "../error.ts";
import { type Address, formatAddress } from "./address.ts";

/** Connects to a TCP server. @throws {BargeError} `unavailable`; the signal's reason */
export async function connect(address: Address, signal: AbortSignal): Promise<Deno.TcpConn> {
  const { host: hostname, port } = address;
  try {
    const conn = await Deno.connect({ hostname, port, signal });
    conn.setNoDelay(true);
    return conn;
  } catch (cause) {
    signal.throwIfAborted();
    const refused = cause instanceof Deno.errors.ConnectionRefused;
    const message = cause instanceof Error ? cause.message : String(cause);
    const why = refused ? "nothing listens there" : message.replace(/ \(os error \d+\)/, "");
    const hint = refused ? "check that `barge serve` is running" : undefined;
    const path = formatAddress(address);
    throw new BargeError("unavailable", why, { op: "connect to", path, hint, cause });
  }
}
