/**
 * An echo server over UDP: it returns each datagram to its sender in upper case (upper.ts) or
 * unchanged (RFC 862).
 *
 * Invariants: each datagram gets at most one answer, of the same length, so that the server can't amplify
 * traffic. The server drops and counts datagrams above {@link maxDatagramBytes}, those from port 0 or from
 * another echo, quote or time service (which would answer each answer, forever), and those whose answer the
 * system does not send. A few datagrams are processed at a time; the others wait in the system's buffer, or
 * are lost there.
 *
 * One isolate serves the port, since the runtime sets no SO_REUSEPORT on UDP sockets (Deno 2.9).
 */
import { typed } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";
import { type Counters, zeroCounters } from "./counters.ts";
import { upper } from "./upper.ts";

/** The content of the largest datagram over IPv4: 65,535 bytes less the headers. */
export const maxDatagramBytes = 65_507;
/** One byte more, so that a truncated datagram is noticed. */
const bufferBytes = maxDatagramBytes + 1;
/** Concurrent receives, so that the next datagram is ready when the last one is answered. */
const parallelReceives = 8;
/** Ports of echo, discard, daytime, quote, chargen and time (RFC 862 to 868), and port 0. */
const services = new Set([0, 7, 9, 13, 17, 19, 37]);

export class EchoUdp {
  readonly address: Address;
  readonly #socket: Deno.DatagramConn;
  readonly #raw: boolean;
  readonly #counts = { datagrams: 0, answered: 0, dropped: 0, received: 0, sent: 0 };
  readonly #serving: Promise<unknown>;
  #stopped = false;

  private constructor(socket: Deno.DatagramConn, host: string, raw: boolean) {
    this.#socket = socket;
    this.#raw = raw;
    this.address = { host, port: (socket.addr as Deno.NetAddr).port };
    this.#serving = Promise.all(Array.from({ length: parallelReceives }, () => this.#serve()));
  }

  /** @throws {BargeError} when it can't listen there */
  static listen(address: Address, raw: boolean): EchoUdp {
    const { host: hostname, port } = address;
    try {
      const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
      return new EchoUdp(socket, hostname, raw);
    } catch (cause) {
      throw typed(cause, { op: "listen on", path: formatAddress(address) });
    }
  }

  get counters(): Counters {
    return { ...zeroCounters, ...this.#counts };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#socket.close();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const buffer = new Uint8Array(bufferBytes);
    const counts = this.#counts;
    while (!this.#stopped) {
      try {
        const [datagram, from] = await this.#socket.receive(buffer);
        counts.datagrams++;
        counts.received += datagram.length;
        if (datagram.length > maxDatagramBytes || services.has((from as Deno.NetAddr).port)) {
          counts.dropped++;
          continue;
        }
        if (!this.#raw) upper(datagram);
        counts.sent += await this.#socket.send(datagram, from);
        counts.answered++;
      } catch (cause) {
        if (this.#stopped || cause instanceof Deno.errors.BadResource) return;
        counts.dropped++;
      }
    }
  }
}
