/** Sockets of 127.0.0.1 for lessons: a listener, lines of text over TCP, and datagrams. */
import { BargeError } from "../../../error.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Listens on 127.0.0.1.
 *
 * @param port 0 for any free port
 * @throws {BargeError} `unavailable` if the port is in use
 */
export function listen(port: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (cause) {
    throw listenFailure(port, cause);
  }
}

/** Returns the error for a server that cannot listen. */
export function listenFailure(port: number, cause: unknown): unknown {
  const inUse = cause instanceof Deno.errors.AddrInUse;
  if (!inUse && !(cause instanceof Deno.errors.PermissionDenied)) return cause;
  return new BargeError("unavailable", inUse ? "the port is in use" : "permission denied", {
    op: "listen on",
    path: `127.0.0.1:${port}`,
    cause,
    hint: "leave --port out to use any free port",
  });
}

/** Both ends of a connection. */
export interface Pair {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
}

/** A listener on 127.0.0.1 and its connections, which the signal closes, too. */
export class Connections implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #signal: AbortSignal;
  readonly #pairs: Pair[] = [];
  readonly #hangUp = () => {
    for (const { client, server } of this.#pairs) [client, server].forEach(hangUp);
  };

  /** @param port see {@link listen} */
  constructor(port: number, signal: AbortSignal) {
    this.#listener = listen(port);
    this.#signal = signal;
    signal.addEventListener("abort", this.#hangUp);
  }

  async connect(): Promise<Pair> {
    this.#signal.throwIfAborted();
    const { port } = this.#listener.addr;
    const client = await Deno.connect({ hostname: "127.0.0.1", port });
    const pair = { client, server: await this.#listener.accept() };
    this.#pairs.push(pair);
    return pair;
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#hangUp);
    this.#hangUp();
    this.#listener.close();
  }
}

/** Sends a line. */
export async function send(conn: Deno.Conn, line: string): Promise<void> {
  const bytes = encoder.encode(`${line}\n`);
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Reads a line; undefined at the end. The peer must send one line at a time. */
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

/** The time after which a datagram on this machine counts as lost. */
const datagramTimeoutMs = 10_000;

/** A UDP socket on a free port of 127.0.0.1. */
export class DatagramSocket implements Disposable {
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #signal: AbortSignal;

  /** @param signal ends pending receives */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get address(): Deno.Addr {
    return this.#socket.addr;
  }

  async send(text: string, to: Deno.Addr): Promise<void> {
    await this.#socket.send(encoder.encode(text), to);
  }

  /** @throws {BargeError} `unavailable` if no datagram arrives in time; the signal's reason */
  async receive(): Promise<{ readonly text: string; readonly from: Deno.Addr }> {
    const stop = () => hangUp(this.#socket);
    const timer = setTimeout(stop, datagramTimeoutMs);
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

/** Closes a socket, if it is not closed yet. */
export function hangUp(socket: { close(): void }): void {
  try {
    socket.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
