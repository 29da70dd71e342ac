/** A TCP proxy in front of a server, which counts connections and cuts them. */

export class Proxy implements AsyncDisposable {
  /** For each connection so far, the bytes that the client has sent. */
  readonly received: number[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: Deno.ConnectOptions;
  readonly #limits: readonly number[];
  readonly #answered: readonly number[];
  readonly #open = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;

  /**
   * @param target HOST:PORT
   * @param limits for each of the first connections, the bytes from the client after which it is cut
   * @param answered for each of the first connections, the bytes from the client after which the next answer of
   *   the server is dropped, and the connection is cut
   */
  constructor(target: string, limits: readonly number[] = [], answered: readonly number[] = []) {
    const [hostname, port] = target.split(":");
    this.#target = { hostname, port: Number(port) };
    this.#limits = limits;
    this.#answered = answered;
    this.#accepting = this.#accept();
  }

  /** The number of connections so far. */
  get connections(): number {
    return this.received.length;
  }

  get address(): string {
    const { hostname, port } = this.#listener.addr as Deno.NetAddr;
    return `${hostname}:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open) close(conn);
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    const pumps: Promise<void>[] = [];
    try {
      for await (const client of this.#listener) {
        const index = this.received.push(0) - 1;
        const limit = this.#limits[index] ?? Infinity;
        const count = (bytes: number) => void (this.received[index] += bytes);
        const server = await Deno.connect(this.#target);
        this.#open.add(client).add(server);
        const answered = this.#answered[index] ?? Infinity;
        const ends = () => this.received[index] >= answered;
        pumps.push(pump(client, server, limit, count), pump(server, client, Infinity, ends));
      }
    } catch { /* the listener is closed */ }
    await Promise.all(pumps);
  }
}

/**
 * Passes bytes on until either side ends, or the limit is reached; then closes both.
 *
 * @param ends called for bytes that were read; true: they are dropped, and both are closed
 */
async function pump(
  from: Deno.Conn,
  to: Deno.Conn,
  limit: number,
  ends: (bytes: number) => boolean | void = () => {},
): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  try {
    for (let passed = 0; passed < limit;) {
      const n = await from.read(buffer);
      if (n === null) break;
      if (ends(n)) break;
      for (let sent = 0; sent < n;) sent += await to.write(buffer.subarray(sent, n));
      passed += n;
    }
  } catch { /* it was cut */ }
  close(from);
  close(to);
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch { /* the other pump has closed it */ }
}
