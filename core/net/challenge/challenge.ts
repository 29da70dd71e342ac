/**
 * Challenges by TLS (RFC 8737): a certificate authority connects with the protocol `acme-tls/1`, and wants to see a
 * certificate that only the answer to its challenge has. Other clients get the server's own certificate meanwhile.
 *
 * The runtime chooses a certificate by the host alone, before it reports the protocols, so the client's hello is parsed
 * first. The TLS of other clients then reads the same bytes; challenges get a handshake of their own (challenge_tls.ts).
 */
import { Buffer } from "node:buffer";
import type { KeyPair } from "../certificate.ts";
import { challengeProtocol, ChallengeTls } from "./challenge_tls.ts";
import { Handshake, offeredHost, offeredProtocols } from "../handshake.ts";
import { PipeOver } from "../pipe_over.ts";
import type { Pipe } from "../stream.ts";

/** Returns the certificate that answers the challenge of a host; undefined for none. */
export type FindChallenge = (host: string) => Promise<KeyPair | undefined>;

const readBytes = 4 * 1024;

/** Parses a client's hello as its bytes arrive. */
export class Hello {
  readonly #handshake = new Handshake();
  #parts: Uint8Array[] = [];

  /** @returns whether the hello is complete, or is none */
  feed(bytes: Uint8Array): boolean {
    this.#parts.push(bytes);
    this.#handshake.feed(bytes);
    return this.#handshake.ended || this.#handshake.messages.length > 0;
  }

  /** All bytes so far. */
  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** Whether it is the hello of a certificate authority. */
  get isChallenge(): boolean {
    return offeredProtocols(this.#handshake.messages).includes(challengeProtocol);
  }

  /** The host that the client wants to reach, in lower case; empty if it names none. */
  get host(): string {
    return (offeredHost(this.#handshake.messages) ?? "").toLowerCase();
  }
}

/**
 * Answers a challenge on a new connection.
 *
 * @returns undefined if the connection was a challenge, which the caller then closes; else the connection, with
 *   nothing read from it
 * @throws {BargeError} `protocol`; as `find`, and as the connection
 */
export async function answerChallenge<T extends Pipe>(
  below: T,
  find: FindChallenge,
): Promise<Pipe | undefined> {
  const hello = new Hello();
  for (let complete = false; !complete;) {
    const piece = new Uint8Array(readBytes);
    const n = await below.read(piece);
    if (n === null) break;
    complete = hello.feed(piece.subarray(0, n));
  }
  const pipe = new Replayed(below, hello.bytes);
  if (!hello.isChallenge) return pipe;
  const pair = await find(hello.host);
  if (pair) await show(pipe, pair);
  return undefined;
}

/** Makes the handshake of a challenge, and waits until the client ends the connection. */
async function show(pipe: Pipe, pair: KeyPair): Promise<void> {
  const tls = new ChallengeTls(pair);
  const piece = new Uint8Array(readBytes);
  for (let n; (n = await pipe.read(piece)) !== null && !tls.done;) {
    const answer = tls.feed(piece.subarray(0, n));
    for (let sent = 0; sent < answer.length;) sent += await pipe.write(answer.subarray(sent));
  }
}

/** A connection of which the first bytes were read already. */
class Replayed extends PipeOver<Pipe> {
  #first: Uint8Array;

  constructor(below: Pipe, first: Uint8Array) {
    super(below);
    this.#first = first;
  }

  override read(into: Uint8Array): Promise<number | null> {
    if (this.#first.length === 0) return super.read(into);
    const n = Math.min(into.length, this.#first.length);
    into.set(this.#first.subarray(0, n));
    this.#first = this.#first.subarray(n);
    return Promise.resolve(n);
  }
}
