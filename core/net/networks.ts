/** Sets of networks, as the operator names them: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. */
import { BlockList, isIPv4, isIPv6 } from "node:net";
import { BargeError } from "../error.ts";
import { isLoopback } from "./address.ts";

/**
 * An address without what the system adds to it: the zone, and IPv6's form of an IPv4 address.
 *
 * @example
 * ```ts
 * import { bareAddress } from "./networks.ts";
 * if (bareAddress("::ffff:192.0.2.7") !== "192.0.2.7") throw new Error();
 * if (bareAddress("fe80::1%eth0") !== "fe80::1") throw new Error();
 * ```
 */
export function bareAddress(host: string): string {
  const [bare] = host.split("%");
  return /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(bare)?.[1] ?? bare;
}

/**
 * Returns whether a proxy may name this address as a client's. Loopback is trusted with more than
 * other addresses, and a proxy on another machine means its own.
 */
export function isNameable(client: string, proxy: string): boolean {
  return !isLoopback(bareAddress(client)) || isLoopback(bareAddress(proxy));
}

/** Networks that can be asked whether an address is in one of them. */
export class Networks {
  readonly #list = new BlockList();
  /** True if there is none. */
  readonly empty: boolean;

  /** @throws {BargeError} `usage` for what is no network, or is every address */
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
        throw new BargeError("usage", `${text} is every address: anybody could name another`);
      }
      this.#list.addSubnet(address, prefix, family);
    }
  }

  /** Returns whether a numeric address is in one of the networks. */
  has(host: string): boolean {
    const bare = bareAddress(host);
    const family = familyOf(bare);
    return family !== undefined && this.#list.check(bare, family);
  }
}

function familyOf(address: string): "ipv4" | "ipv6" | undefined {
  return isIPv4(address) ? "ipv4" : isIPv6(address) ? "ipv6" : undefined;
}
