/**
 * Parses the unencrypted part of a TLS 1.2 handshake, in one direction, without I/O
 * (RFC 5246, sections 6.2.1 and 7.4; RFC 5077). A client's hello of TLS 1.3 has the same format.
 */

import { Buffer } from "node:buffer";

export interface HandshakeMessage {
  readonly type: number;
  readonly body: Uint8Array;
}

const handshakeRecord = 22;
const clientHello = 1;
const newSessionTicket = 4;
const hostExtension = 0;
const protocolsExtension = 16;
const ticketExtension = 35;
/** A longer handshake is not parsed to its end. */
const maxHandshakeBytes = 64 * 1024;

export class Handshake {
  readonly messages: HandshakeMessage[] = [];
  #records = new Uint8Array();
  #plain = new Uint8Array();
  #bytes = 0;
  #ended = false;

  /** Whether encryption has begun, or this is no handshake; later bytes are ignored. */
  get ended(): boolean {
    return this.#ended;
  }

  feed(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#bytes += bytes.length;
    this.#records = Buffer.concat([this.#records, bytes]);
    while (!this.#ended && this.#records.length >= 5) {
      const [type, , , high, low] = this.#records;
      const end = 5 + high * 256 + low;
      if (type !== handshakeRecord) return this.#end();
      if (this.#records.length < end) break;
      this.#plain = Buffer.concat([this.#plain, this.#records.subarray(5, end)]);
      this.#records = this.#records.subarray(end);
      this.#parseMessages();
    }
    if (this.#bytes > maxHandshakeBytes) this.#end();
  }

  #parseMessages(): void {
    while (this.#plain.length >= 4) {
      const [type, high, middle, low] = this.#plain;
      const end = 4 + high * 65_536 + middle * 256 + low;
      if (this.#plain.length < end) return;
      this.messages.push({ type, body: Uint8Array.from(this.#plain.subarray(4, end)) });
      this.#plain = this.#plain.subarray(end);
    }
  }

  #end(): void {
    this.#ended = true;
    this.#records = this.#plain = new Uint8Array();
  }
}

/** Returns the ticket of the session that a client wants to resume; undefined for none. */
export function offeredTicket(messages: readonly HandshakeMessage[]): Uint8Array | undefined {
  const content = extension(messages, ticketExtension);
  return content && content.length > 0 ? content : undefined;
}

/** Returns the host that a client wants to reach (RFC 6066, section 3); undefined if it names none. */
export function offeredHost(messages: readonly HandshakeMessage[]): string | undefined {
  const content = extension(messages, hostExtension);
  if (!content) return undefined;
  const fields = new Fields(content);
  fields.bytes(2 + 1); // the length of the list, and the type of the name: a host
  const name = fields.bytes(fields.number(2));
  return fields.truncated ? undefined : new TextDecoder().decode(name);
}

/** Returns the protocols that a client offers (RFC 7301). */
export function offeredProtocols(messages: readonly HandshakeMessage[]): string[] {
  const content = extension(messages, protocolsExtension);
  if (!content) return [];
  const fields = new Fields(content);
  const names: string[] = [];
  for (let remaining = fields.number(2); remaining > 0 && !fields.truncated;) {
    const name = fields.bytes(fields.number(1));
    remaining -= 1 + name.length;
    names.push(new TextDecoder().decode(name));
  }
  return fields.truncated ? [] : names;
}

/** Returns the content of an extension of the client's hello; undefined where it is missing. */
function extension(messages: readonly HandshakeMessage[], wanted: number): Uint8Array | undefined {
  const hello = messages.find(({ type }) => type === clientHello);
  return hello && readHello(hello.body).extensions.get(wanted);
}

/** Returns the cipher suites and the extensions of a client's hello; those behind a cut are left out. */
export function readHello(body: Uint8Array): {
  readonly suites: readonly number[];
  readonly extensions: ReadonlyMap<number, Uint8Array>;
} {
  const fields = new Fields(body);
  fields.bytes(2 + 32); // version, random
  fields.bytes(fields.number(1)); // session id
  const offered = new Fields(fields.bytes(fields.number(2)));
  const suites: number[] = [];
  for (let suite; suite = offered.number(2), !offered.truncated;) suites.push(suite);
  fields.bytes(fields.number(1)); // compression methods
  const extensions = new Map<number, Uint8Array>();
  for (let remaining = fields.number(2); remaining > 0;) {
    const type = fields.number(2);
    const content = fields.bytes(fields.number(2));
    if (fields.truncated) break;
    remaining -= 4 + content.length;
    if (!extensions.has(type)) extensions.set(type, content);
  }
  return { suites, extensions };
}

/** Returns the ticket that a server issues; undefined for none. */
export function issuedTicket(messages: readonly HandshakeMessage[]): Uint8Array | undefined {
  const message = messages.find(({ type }) => type === newSessionTicket);
  if (!message) return undefined;
  const fields = new Fields(message.body);
  fields.bytes(4); // lifetime
  const ticket = fields.bytes(fields.number(2));
  return ticket.length > 0 && !fields.truncated ? ticket : undefined;
}

/** Reads fields in sequence; beyond the end they are empty. */
class Fields {
  /** Whether a field was cut off. */
  truncated = false;
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(length: number): number {
    return this.bytes(length).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  bytes(length: number): Uint8Array {
    const bytes = this.#bytes.slice(this.#offset, this.#offset + length);
    this.truncated ||= bytes.length < length;
    this.#offset += length;
    return bytes;
  }
}
