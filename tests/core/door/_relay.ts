/** A TCP proxy that begins each connection with a header, as a PROXY header is. */
import { Buffer } from "node:buffer";
import { connect, createServer, type Server, type Socket } from "node:net";

export class Relay implements AsyncDisposable {
  /** The bytes that each connection begins with. */
  header: string | Uint8Array;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(server: Server, header: string | Uint8Array) {
    this.#server = server;
    this.header = header;
  }

  /**
   * @param to HOST:PORT
   * @param from the address of this machine that it connects from
   */
  static async start(to: string, header: string | Uint8Array, from: string): Promise<Relay> {
    const server = createServer({ allowHalfOpen: true });
    const relay = new Relay(server, header);
    const port = Number(to.split(":").at(-1));
    server.on("connection", (near: Socket) => {
      const options = { host: "127.0.0.1", port, localAddress: from, allowHalfOpen: true };
      const far = connect(options);
      far.write(typeof relay.header === "string" ? Buffer.from(relay.header) : relay.header);
      near.pipe(far).pipe(near);
      for (const [one, other] of [[near, far], [far, near]]) {
        relay.#open.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          relay.#open.delete(one);
          other.end();
        });
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** A PROXY header of version 1. */
export function lineFor(host: string, port = 40_000): string {
  return `PROXY TCP4 ${host} 192.0.2.200 ${port} 7171\r\n`;
}

/** And of version 2, for an IPv4 address. @param command 1: PROXY, 0: LOCAL */
export function binaryFor(host: string, command = 1, port = 40_000): Uint8Array {
  return Uint8Array.of(
    ...Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1"),
    ...[0x20 | command, 0x11, 0, 12],
    ...host.split(".").map(Number),
    ...[192, 0, 2, 200, port >> 8, port & 255, 0, 21],
  );
}
