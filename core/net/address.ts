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
