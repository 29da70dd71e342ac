/**
 * A request over UDP: a datagram to an echo server, and one of its length back. Each line is a socket
 * of its own. A datagram begins with its number, as far as there is room, so that the late answer to a
 * request that was given up is not taken for the answer to the next.
 */
import { upper } from "../echo/upper.ts";
import { Failed, failed, type Line } from "./connection.ts";
import { message, type TcpOptions } from "./tcp_connection.ts";

const digits = 12;

export function udpLines({ address, size, verify }: TcpOptions): () => Promise<Line> {
  const to = { transport: "udp" as const, hostname: address.host, port: address.port };
  const hostname = address.host.includes(":") ? "::" : "0.0.0.0";
  return () => {
    try {
      const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
      return Promise.resolve(new UdpLine(socket, to, size, verify));
    } catch (cause) {
      return Promise.reject(failed(cause));
    }
  };
}

class UdpLine implements Line {
  readonly survives = true;
  readonly #socket: Deno.DatagramConn;
  readonly #to: Deno.NetAddr;
  readonly #sent: Uint8Array;
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
    this.#sent = message(size);
    this.#raised = message(size);
    upper(this.#raised);
    this.#verify = verify;
    this.#buffer = new Uint8Array(size + 1);
  }

  async exchange(): Promise<number> {
    this.#stamp(++this.#number);
    const waiting = this.#waiting = Promise.withResolvers<void>();
    // Handled below; until then sending may fail first.
    waiting.promise.catch(() => {});
    if (!this.#listening) this.#listen();
    try {
      await this.#socket.send(this.#sent, this.#to);
      await waiting.promise;
      return 2 * this.#sent.length;
    } catch (cause) {
      throw failed(cause);
    } finally {
      this.#waiting = undefined;
    }
  }

  cut(): void {
    this.#waiting?.reject(new Failed("lost"));
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
        const failure = this.#judge(answer);
        if (failure) this.#waiting?.reject(new Failed(failure));
        else this.#waiting?.resolve();
      }
    } catch (cause) {
      if (!this.#closed) this.#waiting?.reject(cause);
    }
    this.#listening = false;
  }

  /** An answer to what was sent before. */
  #isLate(answer: Uint8Array): boolean {
    if (answer.length !== this.#sent.length || answer.length <= digits) return false;
    return answer.subarray(0, digits).some((byte, i) => byte !== this.#sent[i]);
  }

  #judge(answer: Uint8Array): "wrong" | "extra" | undefined {
    if (answer.length > this.#sent.length) return "extra";
    if (answer.length < this.#sent.length) return "wrong";
    if (!this.#verify) return undefined;
    const right = answer.every((byte, i) => byte === this.#raised[i] || byte === this.#sent[i]);
    return right ? undefined : "wrong";
  }

  #stamp(number: number): void {
    if (this.#sent.length <= digits) return;
    let rest = number;
    for (let i = digits - 1; i >= 0; i--) {
      this.#sent[i] = this.#raised[i] = 48 + rest % 10;
      rest = Math.floor(rest / 10);
    }
  }
}
