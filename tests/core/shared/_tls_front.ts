/** TLS in front of an engine, which speaks none itself. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { KeyPair } from "../../../core/net/certificate.ts";

export interface FrontOptions {
  /** The address where it listens. */
  readonly host: string;
  readonly pair: KeyPair;
  readonly target: { readonly host: string; readonly port: number };
  /**
   * Whether a client asks for TLS in PostgreSQL's way: by an SSLRequest of eight bytes, which a server answers
   * with `S`.
   */
  readonly isPostgres: boolean;
}

/** Accepts connections with TLS, and passes them on without. */
export class TlsFront implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start({ host, pair, target, isPostgres }: FrontOptions): Promise<TlsFront> {
    const front: TlsFront = new TlsFront(createServer((socket) => {
      const pass = () => {
        const client = new TLSSocket(socket, { isServer: true, ...pair });
        const server = connect(target);
        front.#keep(server);
        client.on("error", () => server.destroy()).on("close", () => server.destroy());
        server.on("close", () => client.destroy());
        client.pipe(server).pipe(client);
      };
      front.#keep(socket);
      if (!isPostgres) return pass();
      socket.once("readable", () => {
        if (socket.read(8) === null) return socket.destroy();
        socket.write("S");
        pass();
      });
    }));
    await new Promise<void>((resolve) => front.#server.listen(0, host, resolve));
    return front;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {/* the other side is gone */});
    socket.on("close", () => this.#sockets.delete(socket));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
