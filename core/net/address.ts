/** Host and port, as they are written on command lines. */
import { BargeError } from "../error.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `HOST:PORT`, `:PORT`, `PORT`, or `[IPv6]:PORT`.
 *
 * @param text as the user wrote it
 * @param host where only a port is given
 * @throws {BargeError} `usage`
 *
 * @example
 * ```ts
 * import { parseAddress } from "./address.ts";
 * if (parseAddress("[::1]:7171").host !== "::1") throw new Error();
 * if (parseAddress("0").port !== 0) throw new Error();
 * ```
 */
export function parseAddress(text: string, host = "127.0.0.1"): Address {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+(?:%[A-Za-z0-9._-]+)?)\]|([^:[\]\s/@]*)):)?(\d{1,5})$/
    .exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) {
    throw new BargeError("usage", `${JSON.stringify(text)} is not HOST:PORT`, {
      hint: "for instance 127.0.0.1:7171, or [::1]:7171",
    });
  }
  return { host: match[1] || match[2] || host, port };
}

/** Writes an address so that {@link parseAddress} reads it again. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Does this address stay on this machine? */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * What counts as one peer, of a numeric address: an IPv4 address; of IPv6 the first 64 bits, since
 * whoever has one such address has them all. ::1 is the same as 127.0.0.1, all of which are one.
 *
 * @param host as the system gives it; what is no address comes back as it is
 *
 * @example
 * ```ts
 * import { network } from "./address.ts";
 * if (network("::ffff:192.0.2.7") !== "192.0.2.7") throw new Error();
 * if (network("2001:db8::7") !== "2001:db8:0:0::/64") throw new Error();
 * if (network("127.3.2.1") !== network("::1")) throw new Error();
 * ```
 */
export function network(host: string): string {
  const [bare] = host.split("%");
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(bare)?.[1];
  const address = mapped ?? bare;
  if (isLoopback(address)) return "127.0.0.1";
  if (!/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(address)) return address;
  const [left, right] = address.toLowerCase().split("::");
  const head = left ? left.split(":") : [];
  const tail = right ? right.split(":") : [];
  const short = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array.from({ length: short }, () => "0"), ...tail];
  const first = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""));
  return `${first.join(":")}::/64`;
}
