/**
 * Bounds the connections of a worker that have not logged in yet: a key exchange costs milliseconds
 * of everybody's time, and whoever begins many need not end them.
 *
 * One address has at most `maxPerAddress`: more are refused. All together are at most `maxStrangers`:
 * one more cuts the oldest, so that those who hold their places without logging in keep nobody out.
 * Loopback is no single peer (account/bans.ts), and has the second bound alone.
 */
import { BargeError } from "../../error.ts";
import { isLoopback, network } from "../../net/address.ts";

export const maxStrangers = 128;
export const maxPerAddress = 16;

/** A connection that has not logged in. */
export interface Stranger {
  /** The client's numeric address, without the port. */
  readonly host: string;
  cut(reason: BargeError): void;
}

export class Strangers {
  /** The oldest first. */
  readonly #all = new Set<Stranger>();
  readonly #perAddress = new Map<string, number>();

  /**
   * Lets one in.
   *
   * @returns what is to be called when it has logged in, or is gone; undefined where its address has
   *   too many
   */
  enter(stranger: Stranger): (() => void) | undefined {
    const address = network(stranger.host);
    const count = this.#perAddress.get(address) ?? 0;
    if (count >= maxPerAddress && !isLoopback(address)) return undefined;
    const [oldest] = this.#all;
    this.#perAddress.set(address, count + 1);
    const full = this.#all.size >= maxStrangers;
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
