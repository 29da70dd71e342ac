/** What lessons on sockets share: a listener on this machine, and lines of text over TCP. */
import { BargeError } from "../error.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Listens on 127.0.0.1.
 *
 * @param port 0: any that is free
 * @throws {BargeError} `unavailable` when the port is taken
 */
export function listen(port: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (cause) {
    throw listenFailure(port, cause);
  }
}

/** Why a lesson's server can't listen. */
export function listenFailure(port: number, cause: unknown): unknown {
  const taken = cause instanceof Deno.errors.AddrInUse;
  if (!taken && !(cause instanceof Deno.errors.PermissionDenied)) return cause;
  return new BargeError("unavailable", taken ? "the port is taken" : "it is not allowed", {
    ...{ op: "listen on", path: `127.0.0.1:${port}`, cause },
    hint: "leave --port out: any port that is free will do",
  });
}

/** Connects to a listener of ours. */
export function connect(listener: Deno.TcpListener): Promise<Deno.TcpConn> {
  const { port } = listener.addr;
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Sends a line. */
export async function send(conn: Deno.Conn, line: string): Promise<void> {
  const bytes = encoder.encode(`${line}\n`);
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Reads a line; undefined at the end. Lines are short, and one is sent at a time. */
export async function receive(conn: Deno.Conn): Promise<string | undefined> {
  const buffer = new Uint8Array(1024);
  let text = "";
  while (!text.endsWith("\n")) {
    const n = await conn.read(buffer);
    if (n === null) return undefined;
    text += decoder.decode(buffer.subarray(0, n));
  }
  return text.trimEnd();
}

/** Closes a connection, if it is not closed yet. */
export function hangUp(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
