/**
 * Bounds the connections of a worker that have not logged in yet, since a key exchange blocks the
 * worker for milliseconds.
 *
 * One address has at most `maxPerAddress`: more are refused. All together are at most
 * `maxPendingLogins`: one more cuts the oldest, so that idle connections do not keep others out.
 * Loopback may be many clients (core/local/account/bans.ts), and has only the second bound.
 */
import { BargeError } from "../../error.ts";
import { isLoopback, network } from "../../net/address.ts";

export const maxPendingLogins = 128;
export const maxPerAddress = 16;

/** A connection that has not logged in. */
export interface PendingLogin {
  /** The client's numeric address, without the port. */
  readonly host: string;
  cut(reason: BargeError): void;
}

export class PendingLogins {
  /** The oldest first. */
  readonly #all = new Set<PendingLogin>();
  readonly #perAddress = new Map<string, number>();

  /**
   * Adds a connection.
   *
   * @returns a function that removes it; undefined when its address has too many
   */
  enter(stranger: PendingLogin): (() => void) | undefined {
    const address = network(stranger.host);
    const count = this.#perAddress.get(address) ?? 0;
    if (count >= maxPerAddress && !isLoopback(address)) return undefined;
    const [oldest] = this.#all;
    this.#perAddress.set(address, count + 1);
    const full = this.#all.size >= maxPendingLogins;
    this.#all.add(stranger);
    if (full) {
      oldest.cut(new BargeError("unavailable", "too many connections have not logged in"));
    }
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.#all.delete(stranger);
      const left = this.#perAddress.get(address)! - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    };
  }
}
