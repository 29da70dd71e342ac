/**
 * Bounds the connections of a worker that have not logged in yet, since a key exchange blocks the
 * worker for milliseconds.
 *
 * An address (in IPv6, a /64 network) has at most `maxPerAddress` of them; more are refused. A worker has at
 * most `maxPendingLogins`; a new connection then closes the oldest, so that idle connections do not keep
 * others out. Loopback has only the second bound, since many clients may come from there through a tunnel
 * (core/storage/ban_rules.ts).
 */
import { BargeError } from "../../error.ts";
import { isLoopback, network } from "../../net/address.ts";

export const maxPendingLogins = 128;
export const maxPerAddress = 16;

export interface PendingLogin {
  /** The client's numeric address, without the port. */
  readonly host: string;
  cut(reason: BargeError): void;
}

export class PendingLogins {
  /** The pending logins, with the networks of their addresses; the oldest first. */
  readonly #all = new Map<PendingLogin, string>();

  /**
   * Adds a connection.
   *
   * @returns a function that removes it; undefined when its address has too many
   */
  enter(added: PendingLogin): (() => void) | undefined {
    const from = network(added.host);
    const count = this.#all.values().filter((other) => other === from).toArray().length;
    if (count >= maxPerAddress && !isLoopback(from)) return undefined;
    const [[oldest] = []] = this.#all;
    const full = this.#all.size >= maxPendingLogins;
    this.#all.set(added, from);
    if (full) {
      oldest!.cut(new BargeError("unavailable", "too many connections have not logged in"));
    }
    return () => void this.#all.delete(added);
  }
}
