/**
 * Requests over UDP: a datagram to an echo server, which returns one of the same length. Each
 * connection is a socket of its own. A datagram begins with its number, if it is long enough, so
 * that the late answer to an abandoned request does not count as the answer to the next one.
 */
import { upper } from "../echo/upper.ts";
import { type Connection, type Open, RequestError, toRequestError } from "./connection.ts";
import { echoMessage, type EchoTarget } from "./tcp_connection.ts";

const numberDigits = 12;

export function udpConnections({ address, size, verify }: EchoTarget): Open {
  const to = { transport: "udp" as const, hostname: address.host, port: address.port };
  const hostname = address.host.includes(":") ? "::" : "0.0.0.0";
  return () => {
    try {
      const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
      return Promise.resolve(new UdpConnection(socket, to, size, verify));
    } catch (cause) {
      return Promise.reject(toRequestError(cause));
    }
  };
}

class UdpConnection implements Connection {
  readonly reusable = true;
  readonly #socket: Deno.DatagramConn;
  readonly #to: Deno.NetAddr;
  readonly #message: Uint8Array;
  readonly #raised: Uint8Array;
  readonly #verify: boolean;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  #number = 0;
  #waiting: PromiseWithResolvers<void> | undefined;
  #listening = false;
  #closed = false;

  constructor(socket: Deno.DatagramConn, to: Deno.NetAddr, size: number, verify: boolean) {
    this.#socket = socket;
    this.#to = to;
    this.#message = echoMessage(size);
    this.#raised = echoMessage(size);
    upper(this.#raised);
    this.#verify = verify;
    this.#buffer = new Uint8Array(size + 1);
  }

  async exchange(): Promise<number> {
    this.#stamp(++this.#number);
    const waiting = this.#waiting = Promise.withResolvers<void>();
    // It is awaited below; until then the send may fail first.
    waiting.promise.catch(() => {});
    if (!this.#listening) this.#listen();
    try {
      await this.#socket.send(this.#message, this.#to);
      await waiting.promise;
      return 2 * this.#message.length;
    } catch (cause) {
      throw toRequestError(cause);
    } finally {
      this.#waiting = undefined;
    }
  }

  abandon(): void {
    this.#waiting?.reject(new RequestError("lost"));
  }

  close(): void {
    this.#closed = true;
    this.#socket.close();
  }

  async #listen(): Promise<void> {
    this.#listening = true;
    try {
      while (!this.#closed) {
        const [answer] = await this.#socket.receive(this.#buffer);
        if (this.#isLate(answer)) continue;
        const failure = this.#failureOf(answer);
        if (failure) this.#waiting?.reject(new RequestError(failure));
        else this.#waiting?.resolve();
      }
    } catch (cause) {
      if (!this.#closed) this.#waiting?.reject(cause);
    }
    this.#listening = false;
  }

  /** Whether a datagram answers an earlier request. */
  #isLate(answer: Uint8Array): boolean {
    if (answer.length !== this.#message.length || answer.length <= numberDigits) return false;
    return answer.subarray(0, numberDigits).some((byte, i) => byte !== this.#message[i]);
  }

  #failureOf(answer: Uint8Array): "wrong" | "extra" | undefined {
    if (answer.length > this.#message.length) return "extra";
    if (answer.length < this.#message.length) return "wrong";
    if (!this.#verify) return undefined;
    const right = answer.every((byte, i) => byte === this.#raised[i] || byte === this.#message[i]);
    return right ? undefined : "wrong";
  }

  #stamp(number: number): void {
    if (this.#message.length <= numberDigits) return;
    let rest = number;
    for (let i = numberDigits - 1; i >= 0; i--) {
      this.#message[i] = this.#raised[i] = 48 + rest % 10;
      rest = Math.floor(rest / 10);
    }
  }
}
