/**
 * Parses the unencrypted part of a TLS 1.2 handshake, in one direction, without I/O
 * (RFC 5246, sections 6.2.1 and 7.4; RFC 5077).
 */

import { Buffer } from "node:buffer";

export interface HandshakeMessage {
  readonly type: number;
  readonly body: Uint8Array;
}

const handshakeRecord = 22;
const clientHello = 1;
const newSessionTicket = 4;
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
  const hello = messages.find(({ type }) => type === clientHello);
  if (!hello) return undefined;
  const fields = new Fields(hello.body);
  fields.bytes(2 + 32); // version, random
  fields.bytes(fields.number(1)); // session id
  fields.bytes(fields.number(2)); // cipher suites
  fields.bytes(fields.number(1)); // compression methods
  for (let remaining = fields.number(2); remaining > 0;) {
    const type = fields.number(2);
    const content = fields.bytes(fields.number(2));
    remaining -= 4 + content.length;
    if (type === ticketExtension) {
      return content.length > 0 && !fields.truncated ? content : undefined;
    }
    if (fields.truncated) return undefined;
  }
  return undefined;
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
