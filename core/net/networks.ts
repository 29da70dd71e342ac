/** Sets of networks, as an operator writes them: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`, `unix:`. */
import { BlockList, isIPv4, isIPv6 } from "node:net";
import { BargeError } from "../error.ts";
import { bareAddress, isLoopback, unixPeer } from "./address.ts";

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
  /** Whether the peers at Unix sockets are in the set. */
  readonly #hasUnixPeers: boolean;

  /**
   * @param texts addresses and networks; `unix:` for the peers at Unix sockets
   * @param options.all whether the network of all addresses is allowed. Default: false
   * @throws {BargeError} `usage` for a text that is no network, and for the network of all addresses
   */
  constructor(texts: readonly string[], { all = false }: { readonly all?: boolean } = {}) {
    this.empty = texts.length === 0;
    this.#hasUnixPeers = texts.includes(unixPeer);
    for (const text of texts) {
      if (text === unixPeer) continue;
      const { address, prefix, family } = parseNetwork(text);
      if (prefix === 0 && !all) {
        throw new BargeError(
          "usage",
          `${text} has every address: any client could claim another one's address`,
        );
      }
      this.#list.addSubnet(address, prefix, family);
    }
  }

  /** Returns whether one of the networks has a numeric address, or the host {@link unixPeer}. */
  has(host: string): boolean {
    if (this.empty) return false;
    if (host === unixPeer) return this.#hasUnixPeers;
    const bare = bareAddress(host);
    const family = familyOf(bare);
    return family !== undefined && this.#list.check(bare, family);
  }
}

/** Checks networks that clients may log in from. @throws {BargeError} `usage` for a text that is no network */
export function checkNetworks(texts: readonly string[]): void {
  for (const text of texts) parseNetwork(text);
}

/**
 * Returns whether all addresses of a network are in another network of its family.
 *
 * @example
 * ```ts
 * import { isSubnet } from "./networks.ts";
 * if (!isSubnet("10.1.0.0/16", "10.0.0.0/8")) throw new Error();
 * // ::/8, which has all IPv4-mapped addresses:
 * if (isSubnet("::ffff:10.0.0.0/8", "10.0.0.0/8")) throw new Error();
 * ```
 */
export function isSubnet(inner: string, outer: string): boolean {
  const [narrow, wide] = [inner, outer].map(parseNetwork);
  return narrow.family === wide.family && narrow.prefix >= wide.prefix &&
    new Networks([outer], { all: true }).has(narrow.address);
}

function parseNetwork(text: string) {
  const [address, digits, ...more] = text.split("/");
  // A network has no zone (`fe80::1%eth0`): addresses are compared without theirs.
  const family = address.includes("%") ? undefined : familyOf(address);
  const bits = family === "ipv4" ? 32 : 128;
  const prefix = digits === undefined ? bits : /^\d{1,3}$/.test(digits) ? Number(digits) : NaN;
  if (!family || more.length > 0 || !(prefix <= bits)) {
    throw new BargeError("usage", `${JSON.stringify(text)} is no address and no network`, {
      hint: "for instance 127.0.0.1, 10.0.0.0/8 or 2001:db8::/32",
    });
  }
  return { address, prefix, family };
}

function familyOf(address: string): "ipv4" | "ipv6" | undefined {
  return isIPv4(address) ? "ipv4" : isIPv6(address) ? "ipv6" : undefined;
}
