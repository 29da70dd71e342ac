/** Addresses, as users write them: a host and a port, or a Unix socket. */
import { BargeError } from "../error.ts";

export interface Address {
  /** A name, a numeric address, or `unix:` and the absolute path of a Unix socket. */
  readonly host: string;
  /** The port; 0 for a Unix socket. */
  readonly port: number;
}

/** The host of every peer at a Unix socket: such a peer has no address. */
export const unixPeer = "unix:";

/** The longest path of a Unix socket (unix(7)). */
const maxSocketPathBytes = 107;

/**
 * Reads `HOST:PORT`, `:PORT`, `PORT`, `[IPv6]:PORT`, or `unix:/PATH`.
 *
 * @param host the default, where `text` has only a port
 * @throws {BargeError} `usage`
 *
 * @example
 * ```ts
 * import { parseAddress } from "./address.ts";
 * if (parseAddress("[::1]:7171").host !== "::1") throw new Error();
 * if (parseAddress("0").port !== 0) throw new Error();
 * if (parseAddress("unix:/run/a.sock").host !== "unix:/run/a.sock") throw new Error();
 * ```
 */
export function parseAddress(text: string, host = "127.0.0.1"): Address {
  if (text.startsWith("unix:")) return parseUnixAddress(text);
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

/** @throws {BargeError} `usage` */
function parseUnixAddress(text: string): Address {
  const path = text.slice("unix:".length);
  const bytes = new TextEncoder().encode(path).length;
  const isPath = path.startsWith("/") && !path.endsWith("/") && !/\p{Cc}/u.test(path);
  if (text === unixPeer || isPath && bytes <= maxSocketPathBytes) return { host: text, port: 0 };
  throw new BargeError("usage", `${JSON.stringify(text)} is not the address of a Unix socket`, {
    hint:
      `for instance unix:/run/barge/http.sock: an absolute path of at most ${maxSocketPathBytes} bytes`,
  });
}

/**
 * Returns the path of a Unix socket's address; undefined for another address.
 *
 * @example
 * ```ts
 * import { socketPathOf } from "./address.ts";
 * if (socketPathOf({ host: "unix:/run/a.sock", port: 0 }) !== "/run/a.sock") throw new Error();
 * if (socketPathOf({ host: "box", port: 7171 }) !== undefined) throw new Error();
 * ```
 */
export function socketPathOf({ host }: Address): string | undefined {
  return host.startsWith("unix:/") ? host.slice("unix:".length) : undefined;
}

/** Formats an address in the form that {@link parseAddress} reads. */
export function formatAddress({ host, port }: Address): string {
  if (host.startsWith("unix:")) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Returns the host of a URL, an IPv6 address without its brackets.
 *
 * @example
 * ```ts
 * import { hostOf } from "./address.ts";
 * if (hostOf(new URL("https://[::1]:9000/bucket")) !== "::1") throw new Error();
 * ```
 */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Returns whether a host is this machine's loopback, or a Unix socket. */
export function isLoopback(host: string): boolean {
  return host.startsWith("unix:") || host === "localhost" || host === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Returns an address without its zone, and an IPv4 address without its IPv6 form.
 *
 * @example
 * ```ts
 * import { bareAddress } from "./address.ts";
 * if (bareAddress("::ffff:192.0.2.7") !== "192.0.2.7") throw new Error();
 * if (bareAddress("fe80::1%eth0") !== "fe80::1") throw new Error();
 * ```
 */
export function bareAddress(host: string): string {
  const [bare] = host.split("%");
  return /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(bare)?.[1] ?? bare;
}

/**
 * Returns the part of a numeric address that counts as one peer: an IPv4 address, or the first 64
 * bits of an IPv6 address, since one client usually has all addresses of such a network. All loopback
 * addresses are one peer, and all peers at Unix sockets are another one.
 *
 * @param host as the system formats it; any other text is returned unchanged
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
  const address = bareAddress(host);
  if (address.startsWith("unix:")) return unixPeer;
  if (isLoopback(address)) return "127.0.0.1";
  if (!/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(address)) return address;
  const [left, right] = address.toLowerCase().split("::");
  const [head, tail] = [left, right].map((part) => part ? part.split(":") : []);
  const zeros = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array(zeros).fill("0"), ...tail];
  const first = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""));
  return `${first.join(":")}::/64`;
}
