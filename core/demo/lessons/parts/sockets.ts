/** Sockets for lessons, on this machine: a listener, lines of text over TCP, and datagrams. */
import { BargeError } from "../../../error.ts";

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

/** How long a datagram may take on this machine before it counts as lost, in ms. */
const patience = 10_000;

/** A UDP socket on a free port of 127.0.0.1. */
export class DatagramSocket implements Disposable {
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #signal: AbortSignal;

  /** @param signal ends waits */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get address(): Deno.Addr {
    return this.#socket.addr;
  }

  async send(text: string, to: Deno.Addr): Promise<void> {
    await this.#socket.send(encoder.encode(text), to);
  }

  /** @throws {BargeError} `unavailable` when none comes in time; the signal's reason */
  async receive(): Promise<{ readonly text: string; readonly from: Deno.Addr }> {
    const stop = () => hangUp(this.#socket);
    const timer = setTimeout(stop, patience);
    this.#signal.addEventListener("abort", stop);
    try {
      const [bytes, from] = await this.#socket.receive();
      return { text: decoder.decode(bytes), from };
    } catch (cause) {
      this.#signal.throwIfAborted();
      throw new BargeError("unavailable", "a datagram did not arrive", { op: "demo", cause });
    } finally {
      clearTimeout(timer);
      this.#signal.removeEventListener("abort", stop);
    }
  }

  [Symbol.dispose](): void {
    hangUp(this.#socket);
  }
}

/** Closes a connection, if it is not closed yet. */
export function hangUp(conn: { close(): void }): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
