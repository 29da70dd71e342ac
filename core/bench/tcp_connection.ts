/**
 * Requests over TCP: a message to an echo server, which returns as many bytes. The sockets are
 * Node's, since Deno's do not serve hundreds of connections equally (see core/echo/tcp.ts).
 */
import { connect, type Socket } from "node:net";
import type { Address } from "../net/address.ts";
import { upper } from "../echo/upper.ts";
import {
  type Connection,
  type Failure,
  type Open,
  RequestError,
  toRequestError,
} from "./connection.ts";

export interface EchoTarget {
  readonly address: Address;
  /** Bytes of a message. */
  readonly size: number;
  /** Whether to compare each answer with the message, as it was sent or in upper case. */
  readonly verify: boolean;
  /** The limit of the time to connect, in ms. */
  readonly timeout: number;
}

/** Returns a message of that many bytes: lower-case letters, and a line feed at its end. */
export function echoMessage(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => i === size - 1 ? 10 : 97 + i % 26);
}

/** Opens connections that send the same message each time. */
export function tcpConnections({ address, size, verify, timeout }: EchoTarget): Open {
  const message = echoMessage(size);
  const raised = message.slice();
  upper(raised);
  const { host, port } = address;
  return () =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      const late = setTimeout(() => socket.destroy(new RequestError("late")), timeout);
      const refused = (cause: unknown) => {
        clearTimeout(late);
        reject(toRequestError(cause));
      };
      socket.once("error", refused);
      socket.once("connect", () => {
        clearTimeout(late);
        socket.off("error", refused);
        resolve(new TcpConnection(socket, message, verify ? raised : undefined));
      });
    });
}

class TcpConnection implements Connection {
  readonly reusable = false;
  readonly #socket: Socket;
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #raised: Uint8Array | undefined;
  #received = 0;
  #waiting: PromiseWithResolvers<number> | undefined;
  #failure: RequestError | undefined;

  constructor(socket: Socket, message: Uint8Array<ArrayBuffer>, raised: Uint8Array | undefined) {
    this.#socket = socket;
    this.#message = message;
    this.#raised = raised;
    socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
    socket.on("error", (cause: unknown) => this.#fail(toRequestError(cause)));
    socket.on("close", () => this.#fail(new RequestError("closed")));
  }

  exchange(): Promise<number> {
    if (this.#failure) return Promise.reject(this.#failure);
    this.#received = 0;
    const waiting = this.#waiting = Promise.withResolvers<number>();
    this.#socket.write(this.#message);
    return waiting.promise;
  }

  #take(chunk: Uint8Array): void {
    const { length } = this.#message;
    const failure = !this.#waiting || this.#received + chunk.length > length
      ? "extra"
      : this.#raised && this.#differs(chunk, this.#raised)
      ? "wrong"
      : undefined;
    if (failure) return this.#end(failure);
    this.#received += chunk.length;
    if (this.#received < length) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(2 * length);
  }

  #differs(chunk: Uint8Array, raised: Uint8Array): boolean {
    const at = this.#received;
    return chunk.some((byte, i) => byte !== raised[at + i] && byte !== this.#message[at + i]);
  }

  #end(failure: Failure): void {
    this.#fail(new RequestError(failure));
    this.#socket.destroy();
  }

  /** Records the first failure, and rejects the request under way. */
  #fail(failure: RequestError): void {
    this.#failure ??= failure;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(this.#failure);
  }

  abandon(): void {
    this.#end("late");
  }

  close(): void {
    this.#end("closed");
  }
}
