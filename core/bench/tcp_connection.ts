/**
 * A request over TCP: so many bytes to an echo server, and as many back. Node's sockets, for the reason
 * that core/echo/tcp.ts tells: with Deno's, hundreds of connections would not be asked alike.
 */
import { connect, type Socket } from "node:net";
import type { Address } from "../net/address.ts";
import { upper } from "../echo/upper.ts";
import { Failed, failed, type Failure, type Line } from "./connection.ts";

export interface TcpOptions {
  readonly address: Address;
  /** Bytes of a message. */
  readonly size: number;
  /** Look at every byte of the answers: they are what was sent, as it was or in upper case. */
  readonly verify: boolean;
  /** ms to connect. */
  readonly timeout: number;
}

/** A message of so many bytes: lower-case letters, a line feed at its end. */
export function message(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => i === size - 1 ? 10 : 97 + i % 26);
}

/** Opens connections that send the same message again and again. */
export function tcpLines({ address, size, verify, timeout }: TcpOptions): () => Promise<Line> {
  const sent = message(size);
  const raised = sent.slice();
  upper(raised);
  const { host, port } = address;
  return () =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      const late = setTimeout(() => socket.destroy(new Failed("late")), timeout);
      const refused = (cause: unknown) => {
        clearTimeout(late);
        reject(failed(cause));
      };
      socket.once("error", refused);
      socket.once("connect", () => {
        clearTimeout(late);
        socket.off("error", refused);
        resolve(new TcpLine(socket, sent, verify ? raised : undefined));
      });
    });
}

class TcpLine implements Line {
  readonly survives = false;
  readonly #socket: Socket;
  readonly #sent: Uint8Array<ArrayBuffer>;
  readonly #raised: Uint8Array | undefined;
  #got = 0;
  #waiting: PromiseWithResolvers<number> | undefined;
  #failure: Failed | undefined;

  constructor(socket: Socket, sent: Uint8Array<ArrayBuffer>, raised: Uint8Array | undefined) {
    this.#socket = socket;
    this.#sent = sent;
    this.#raised = raised;
    socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
    socket.on("error", (cause: unknown) => this.#fail(failed(cause)));
    socket.on("close", () => this.#fail(new Failed("closed")));
  }

  exchange(): Promise<number> {
    if (this.#failure) return Promise.reject(this.#failure);
    this.#got = 0;
    const waiting = this.#waiting = Promise.withResolvers<number>();
    this.#socket.write(this.#sent);
    return waiting.promise;
  }

  #take(chunk: Uint8Array): void {
    const { length } = this.#sent;
    const failure = !this.#waiting || this.#got + chunk.length > length
      ? "extra"
      : this.#raised && this.#differs(chunk, this.#raised)
      ? "wrong"
      : undefined;
    if (failure) return this.#end(failure);
    this.#got += chunk.length;
    if (this.#got < length) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(2 * length);
  }

  #differs(chunk: Uint8Array, raised: Uint8Array): boolean {
    const at = this.#got;
    return chunk.some((byte, i) => byte !== raised[at + i] && byte !== this.#sent[at + i]);
  }

  #end(failure: Failure): void {
    this.#fail(new Failed(failure));
    this.#socket.destroy();
  }

  /** The first failure is the one that counts. */
  #fail(failure: Failed): void {
    this.#failure ??= failure;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(this.#failure);
  }

  cut(): void {
    this.#end("late");
  }

  close(): void {
    this.#end("closed");
  }
}
