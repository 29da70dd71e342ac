/** Sets of networks, as an operator writes them: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. */
import { BlockList, isIPv4, isIPv6 } from "node:net";
import { BargeError } from "../error.ts";
import { bareAddress, isLoopback } from "./address.ts";

/**
 * Returns whether a proxy may name this address as a client's. Loopback has more rights than other
 * addresses, so only a proxy on this machine may name it: another proxy would mean its own loopback.
 */
export function isNameable(client: string, proxy: string): boolean {
  return !isLoopback(bareAddress(client)) || isLoopback(bareAddress(proxy));
}

export class Networks {
  readonly #list = new BlockList();
  readonly empty: boolean;

  /** @throws {BargeError} `usage` for a text that is no network, and for the network of all addresses */
  constructor(texts: readonly string[]) {
    this.empty = texts.length === 0;
    for (const text of texts) {
      const [address, digits, ...more] = text.split("/");
      const family = familyOf(address);
      const bits = family === "ipv4" ? 32 : 128;
      const prefix = digits === undefined ? bits : /^\d{1,3}$/.test(digits) ? Number(digits) : NaN;
      if (!family || more.length > 0 || !(prefix <= bits)) {
        throw new BargeError("usage", `${JSON.stringify(text)} is no address and no network`, {
          hint: "for instance 127.0.0.1, 10.0.0.0/8 or 2001:db8::/32",
        });
      }
      if (prefix === 0) {
        throw new BargeError(
          "usage",
          `${text} has every address: any client could claim another one's address`,
        );
      }
      this.#list.addSubnet(address, prefix, family);
    }
  }

  /** Returns whether one of the networks has a numeric address. */
  has(host: string): boolean {
    const bare = bareAddress(host);
    const family = familyOf(bare);
    return family !== undefined && this.#list.check(bare, family);
  }
}

function familyOf(address: string): "ipv4" | "ipv6" | undefined {
  return isIPv4(address) ? "ipv4" : isIPv6(address) ? "ipv6" : undefined;
}
