/**
 * An echo server over UDP: each datagram goes back to where it came from, in upper case (upper.ts) or
 * as it is (RFC 862).
 *
 * Invariants: an answer is as long as its question, and there is one answer at most, so that nobody
 * can use the server to send more than they have; an empty datagram is answered by an empty one. What
 * can't be answered is dropped and counted: what is larger than a datagram's {@link most} bytes, what
 * claims to come from port 0 or from another echo, quote or time service (an answer there would be
 * answered for ever), and what the system would not send. A few datagrams are looked at a time: the
 * rest waits in the system's buffer, or is lost there.
 *
 * One isolate serves them all: the runtime can't share a UDP port between several (it sets no
 * SO_REUSEPORT on it, Deno 2.9).
 */
import { typed } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";
import { type Counters, nothing } from "./counters.ts";
import { upper } from "./upper.ts";

/** The most that a datagram carries over IPv4: 65,535 bytes less the headers. */
export const most = 65_507;
/** One more than any datagram has, so that none is cut unnoticed. */
const room = most + 1;
/** So many receive at once, so that the next datagram is there when the last is answered. */
const abreast = 8;
/** echo, discard, daytime, quote, chargen, time (RFC 862 to 868). */
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
    this.#serving = Promise.all(Array.from({ length: abreast }, () => this.#serve()));
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
    return { ...nothing, ...this.#counts };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#socket.close();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const buffer = new Uint8Array(room);
    const counts = this.#counts;
    while (!this.#stopped) {
      try {
        const [datagram, from] = await this.#socket.receive(buffer);
        counts.datagrams++;
        counts.received += datagram.length;
        if (datagram.length > most || services.has((from as Deno.NetAddr).port)) {
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
