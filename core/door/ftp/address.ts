/** Formats and parses the addresses of PASV, PORT, EPSV and EPRT (RFC 959, 4.1.2; RFC 2428). */
import { isIPv4, isIPv6 } from "node:net";
import { BargeError } from "../../error.ts";
import type { Address } from "../../net/address.ts";

/** Removes an address's zone, and the IPv6 prefix of an IPv4 address. */
export function plainAddress(host: string): string {
  const [bare] = host.split("%");
  return /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(bare)?.[1] ?? bare;
}

/** Returns the number of an address's family (RFC 2428). */
export function familyOf(host: string): 1 | 2 {
  return isIPv6(host) ? 2 : 1;
}

/**
 * Formats an IPv4 address and a port as six numbers.
 *
 * @example
 * ```ts
 * import { formatSix } from "./address.ts";
 * if (formatSix({ host: "192.0.2.7", port: 258 }) !== "192,0,2,7,1,2") throw new Error();
 * ```
 */
export function formatSix({ host, port }: Address): string {
  return `${host.replaceAll(".", ",")},${port >> 8},${port & 255}`;
}

/**
 * Parses six numbers.
 *
 * @throws {BargeError} `usage`
 *
 * @example
 * ```ts
 * import { parseSix } from "./address.ts";
 * const { host, port } = parseSix("192,0,2,7,1,2");
 * if (host !== "192.0.2.7" || port !== 258) throw new Error();
 * ```
 */
export function parseSix(text: string): Address {
  const numbers = /^\d{1,3}(,\d{1,3}){5}$/.test(text) ? text.split(",").map(Number) : [];
  if (numbers.length === 0 || numbers.some((number) => number > 255)) {
    throw new BargeError("usage", "not six numbers from 0 to 255, as in 192,0,2,7,31,144");
  }
  return { host: numbers.slice(0, 4).join("."), port: numbers[4] * 256 + numbers[5] };
}

/**
 * Parses `|1|192.0.2.7|8080|`, with any separator in place of the bar.
 *
 * @throws {BargeError} `usage`; `unsupported` for an unknown family
 *
 * @example
 * ```ts
 * import { parseExtended } from "./address.ts";
 * if (parseExtended("!2!::1!8080!").host !== "::1") throw new Error();
 * ```
 */
export function parseExtended(text: string): Address {
  const parts = text.split(text[0]);
  const [, family, host, port] = parts;
  const number = /^\d{1,5}$/.test(port) ? Number(port) : Infinity;
  if (parts.length !== 5 || parts[4] !== "" || !/^\d+$/.test(family) || number > 65_535) {
    throw new BargeError("usage", "not of the form |1|192.0.2.7|8080|");
  }
  if (family !== "1" && family !== "2") {
    throw new BargeError("unsupported", "network protocol not supported, use (1,2)");
  }
  if (family === "1" ? !isIPv4(host) : !isIPv6(host)) {
    if (isIPv4(host) || isIPv6(host)) {
      throw new BargeError(
        "unsupported",
        `network protocol not supported: ${host} is of the other`,
      );
    }
    throw new BargeError("usage", `${host} is no address`);
  }
  return { host, port: number };
}
