/** A TCP proxy in front of an engine, which hangs, refuses or cuts connections when a test needs it. */

export interface ProxyRules {
  /** Called for each connection of a client. */
  readonly onConnect?: () => void;
  /** Called with each piece that a client sends. `cut`: the server gets it, and its answer is never seen. */
  readonly onSent?: (bytes: Uint8Array) => "pass" | "cut";
  /** An HTTP status with which the proxy answers each request itself; the server gets nothing. */
  readonly status?: number;
}

export class Proxy implements Disposable {
  readonly port: number;
  #listener: Deno.TcpListener;
  readonly #target: { readonly hostname: string; readonly port: number };
  readonly #connections = new Set<Deno.TcpConn>();
  rules: ProxyRules = {};
  #gate: { readonly open: Promise<void>; readonly release: () => void } | undefined;

  constructor(target: { readonly hostname: string; readonly port: number }) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#accept(this.#listener);
  }

  /** Passes nothing on, until {@link resume}. */
  hang(): void {
    const { promise: open, resolve: release } = Promise.withResolvers<void>();
    this.#gate = { open, release };
  }

  resume(): void {
    this.#gate?.release();
    this.#gate = undefined;
  }

  /** Cuts all connections, and refuses new ones, until {@link listen}. */
  refuse(): void {
    close(this.#listener);
    this.cut();
  }

  listen(): void {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.port });
    this.#accept(this.#listener);
  }

  /** Cuts all connections. */
  cut(): void {
    for (const connection of this.#connections) close(connection);
    this.#connections.clear();
  }

  [Symbol.dispose](): void {
    close(this.#listener);
    this.resume();
    this.cut();
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for (;;) {
      let client: Deno.TcpConn;
      try {
        client = await listener.accept();
      } catch {
        return;
      }
      this.rules.onConnect?.();
      this.#serve(client).catch(() => close(client));
    }
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect(this.#target);
    this.#connections.add(client).add(server);
    let muted = false;
    const sent = async () => {
      for await (const bytes of reads(client)) {
        await this.#gate?.open;
        if (this.rules.status !== undefined) return await answer(client, this.rules.status);
        if (this.rules.onSent?.(bytes) === "cut") muted = true;
        await writeAll(server, bytes);
      }
    };
    const answered = async () => {
      for await (const bytes of reads(server)) {
        await this.#gate?.open;
        if (muted) break;
        await writeAll(client, bytes);
      }
    };
    await Promise.race([sent(), answered()]).catch(() => {/* cut */});
    for (const each of [client, server]) {
      this.#connections.delete(each);
      close(each);
    }
  }
}

/** Answers a request, and reads what its client still sends. */
async function answer(client: Deno.TcpConn, status: number): Promise<void> {
  const head = `HTTP/1.1 ${status} Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
  await writeAll(client, new TextEncoder().encode(head));
  await client.closeWrite();
  for await (const _ of reads(client));
}

async function* reads(connection: Deno.TcpConn): AsyncGenerator<Uint8Array, void, void> {
  const buffer = new Uint8Array(65536);
  for (let n; (n = await connection.read(buffer)) !== null;) yield buffer.slice(0, n);
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function close(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // closed already
  }
}
