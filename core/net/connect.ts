import { BargeError } from "../error.ts";
import { type Address, formatAddress, socketPathOf } from "./address.ts";

/** Connects to a server on TCP or at a Unix socket. @throws {BargeError} `unavailable`; the signal's reason */
export async function connect(
  address: Address,
  signal: AbortSignal,
): Promise<Deno.TcpConn | Deno.UnixConn> {
  const { host: hostname, port } = address;
  const path = socketPathOf(address);
  try {
    if (path !== undefined) return await connectUnix(path, signal);
    const conn = await Deno.connect({ hostname, port, signal });
    conn.setNoDelay(true);
    return conn;
  } catch (cause) {
    signal.throwIfAborted();
    const refused = cause instanceof Deno.errors.ConnectionRefused ||
      path !== undefined && cause instanceof Deno.errors.NotFound;
    const message = cause instanceof Error ? cause.message : String(cause);
    const why = refused ? "nothing listens there" : message.replace(/ \(os error \d+\)/, "");
    const hint = refused ? "check that `barge serve` is running" : undefined;
    throw new BargeError("unavailable", why, {
      op: "connect to",
      path: formatAddress(address),
      hint,
      cause,
    });
  }
}

/** The runtime takes no signal for Unix sockets, where connecting waits only while the backlog is full. */
async function connectUnix(path: string, signal: AbortSignal): Promise<Deno.UnixConn> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const connecting = Deno.connect({ transport: "unix", path });
  try {
    return await Promise.race([connecting, aborted.promise]);
  } catch (error) {
    if (signal.aborted) connecting.then((conn) => conn.close(), () => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
