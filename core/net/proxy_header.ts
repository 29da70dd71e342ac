/**
 * The PROXY protocol, versions 1 and 2: the header by which a TCP proxy names the client of a
 * connection (haproxy.org, doc/proxy-protocol.txt, 2020/03/05). This file does no I/O.
 */
import { Buffer } from "node:buffer";
import { isIPv4, isIPv6 } from "node:net";
import { BargeError } from "../error.ts";
import type { Address } from "./address.ts";

/** The first bytes of every header of version 1. */
const word = Buffer.from("PROXY ");
/** The first bytes of every header of version 2. */
const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n");
export const marks: readonly Uint8Array[] = [word, signature];
export const maxMarkBytes = signature.length;
/** The size of a header of version 1, with its line end (section 2.1). */
const maxLineBytes = 107;
/** The size of a header of version 2: the addresses, and room for what proxies add to them. */
const maxBinaryBytes = 16 + 2048;

export interface ProxyHeader {
  /** The number of the header's bytes, after which the client's bytes begin. */
  readonly length: number;
  /** The client, and the address that it connected to; undefined for a connection of the proxy's own. */
  readonly ends: { readonly source: Address; readonly destination: Address } | undefined;
}

/**
 * Parses the header at the start of a proxy's bytes.
 *
 * @returns undefined while more bytes are needed
 * @throws {BargeError} `protocol` as soon as the bytes can't be a header
 *
 * @example
 * ```ts
 * import { parseProxyHeader } from "./proxy_header.ts";
 * const line = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";
 * const header = parseProxyHeader(new TextEncoder().encode(line + "hello"));
 * if (header?.length !== line.length || header.ends?.source.port !== 56324) throw new Error();
 * if (parseProxyHeader(new TextEncoder().encode("PROX")) !== undefined) throw new Error();
 * ```
 */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeader | undefined {
  if (begins(bytes, word)) return bytes.length < word.length ? undefined : parseLine(bytes);
  if (begins(bytes, signature)) return parseBinary(bytes);
  throw malformed("there is none");
}

/** Returns whether bytes begin with a mark, or are its beginning. */
export function begins(bytes: Uint8Array, mark: Uint8Array): boolean {
  return mark.subarray(0, bytes.length).every((byte, i) => byte === bytes[i]);
}

function parseLine(bytes: Uint8Array): ProxyHeader | undefined {
  const text = Buffer.from(bytes.subarray(0, maxLineBytes)).toString("latin1");
  const end = text.indexOf("\r\n");
  if (end === -1) {
    if (bytes.length >= maxLineBytes) throw malformed("its line is too long");
    return undefined;
  }
  const length = end + 2;
  const line = text.slice(0, end);
  if (/^PROXY UNKNOWN( |$)/.test(line)) return { length, ends: undefined };
  const [, family, from, to, fromPort, toPort] =
    /^PROXY TCP([46]) ([0-9a-fA-F:.]+) ([0-9a-fA-F:.]+) (\d{1,5}) (\d{1,5})$/.exec(line) ?? [];
  const valid = family === "4" ? isIPv4 : isIPv6;
  const [sourcePort, destinationPort] = [Number(fromPort), Number(toPort)];
  if (!family || !valid(from) || !valid(to) || sourcePort > 65_535 || destinationPort > 65_535) {
    throw malformed("its line is malformed");
  }
  const source = { host: from, port: sourcePort };
  const destination = { host: to, port: destinationPort };
  return { length, ends: { source, destination } };
}

function parseBinary(bytes: Uint8Array): ProxyHeader | undefined {
  if (bytes.length < 16) return undefined;
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const [version, command] = [bytes[12] >> 4, bytes[12] & 15];
  if (version !== 2 || command > 1) throw malformed("its version or command is unknown");
  const length = 16 + header.readUInt16BE(14);
  if (length > maxBinaryBytes) throw malformed("it is too long");
  if (bytes.length < length) return undefined;
  // LOCAL: the proxy checks that the server answers (section 2.2).
  if (command === 0 || bytes[13] === 0) return { length, ends: undefined };
  const size = bytes[13] === 0x11 ? 4 : bytes[13] === 0x21 ? 16 : 0;
  if (size === 0) throw malformed("it is not of TCP over IPv4 or IPv6");
  if (length < 16 + 2 * size + 4) throw malformed("its addresses are cut off");
  const host = (at: number) => formatIp(bytes.subarray(at, at + size));
  const [from, to, ports] = [16, 16 + size, 16 + 2 * size];
  const source = { host: host(from), port: header.readUInt16BE(ports) };
  const destination = { host: host(to), port: header.readUInt16BE(ports + 2) };
  return { length, ends: { source, destination } };
}

function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const text = bytes.toHex().match(/..../g)!.join(":");
  if (/^(0000:){5}ffff:/.test(text)) return bytes.subarray(12).join(".");
  // The shortest form, as the system writes it: addresses are compared as text.
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

function malformed(why: string): BargeError {
  return new BargeError("protocol", `no PROXY header: ${why}`);
}
