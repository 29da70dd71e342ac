/** Formats and parses the addresses of PASV, PORT, EPSV and EPRT (RFC 959, 4.1.2; RFC 2428). */
import { isIP } from "node:net";
import { BargeError } from "../../error.ts";
import type { Address } from "../../net/address.ts";

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
 * Parses six numbers. @throws {BargeError} `usage`
 *
 * @example
 * ```ts
 * import { parseSix } from "./address.ts";
 * const { host, port } = parseSix("192,0,2,7,1,2");
 * if (host !== "192.0.2.7" || port !== 258) throw new Error();
 * ```
 */
export function parseSix(text: string): Address {
  const numbers = text.split(",").map(Number);
  if (!/^\d{1,3}(,\d{1,3}){5}$/.test(text) || Math.max(...numbers) > 255) {
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
  const [, , family, host, port] = /^([^])(\d+)\1([^]*)\1(\d{1,5})\1$/.exec(text) ?? [];
  if (family === undefined || Number(port) > 65_535) {
    throw new BargeError("usage", "not of the form |1|192.0.2.7|8080|");
  }
  if (family !== "1" && family !== "2") {
    throw new BargeError("unsupported", "network protocol not supported, use (1,2)");
  }
  const version = isIP(host);
  if (version === 0) throw new BargeError("usage", `${host} is no address`);
  if (version !== (family === "1" ? 4 : 6)) {
    const why = `network protocol not supported: ${host} is of the other family`;
    throw new BargeError("unsupported", why);
  }
  return { host, port: Number(port) };
}
