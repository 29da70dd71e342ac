/**
 * A client that does as it is told: raw frames and bytes over a real socket, right or wrong. Every
 * wait has a deadline, as the Stream below it has.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { BargeError } from "../../../core/error.ts";
import { parseAddress } from "../../../core/net/address.ts";
import { dial } from "../../../core/net/dial.ts";
import type { Stream } from "../../../core/net/stream.ts";
import { encodeFrame, type FrameValue } from "../../../core/protocol/frame.ts";
import type { Verifier } from "../../../core/protocol/message.ts";
import { FrameReader } from "../../../core/protocol/reader.ts";
import { type Mechanism, nonce, prove } from "../../../core/protocol/scram.ts";
import { quickProof } from "../../_passwords.ts";

export type Bytes = Uint8Array<ArrayBuffer>;
/** A frame, given as its JSON, or raw bytes. */
export type Piece = object | Uint8Array;

export class Peer implements Disposable {
  readonly stream: Stream;
  readonly reader: FrameReader;

  private constructor(stream: Stream) {
    this.stream = stream;
    this.reader = new FrameReader(stream);
  }

  /** Connects and says nothing. */
  static async connect(address: string): Promise<Peer> {
    return new Peer(await dial(parseAddress(address), { timeout: 10_000, idleTimeoutMs: 30_000 }));
  }

  /** Connects, and logs in: as an account of `Server.addUser`, or with a token, which is quicker. */
  static async open(address: string, account?: string): Promise<Peer> {
    const peer = await Peer.connect(address);
    try {
      await peer.ask({ verb: "hello", version: 1 });
      if (account) await peer.login(account);
      return peer;
    } catch (error) {
      peer[Symbol.dispose]();
      throw error;
    }
  }

  /** Sends frames and bytes as one piece. */
  async send(...pieces: readonly Piece[]): Promise<void> {
    await this.stream.write(join(...pieces));
  }

  /** The next answer. */
  async answer(): Promise<FrameValue> {
    const frame = await this.reader.frame();
    assert.ok(frame, "the server closed the connection");
    return frame.value;
  }

  /** The kind of the next answer, which is a failure. */
  async failure(): Promise<string> {
    const answer = await this.answer();
    assert.equal(answer.ok, false, JSON.stringify(answer));
    return (answer.error as { kind: string }).kind;
  }

  /** Sends a request and takes its answer, which is no failure. */
  async ask(...pieces: readonly Piece[]): Promise<FrameValue> {
    await this.send(...pieces);
    const answer = await this.answer();
    assert.equal(answer.ok, true, JSON.stringify(answer));
    return answer;
  }

  /** Sends a request and takes the kind of its failure. */
  async fail(...pieces: readonly Piece[]): Promise<string> {
    await this.send(...pieces);
    return await this.failure();
  }

  async login(account: string): Promise<void> {
    const [, id, secret] = /^barge_([^_]+)_(.+)$/.exec(account) ?? [];
    const answer =
      await (id ? this.prove(id, secret, "token") : this.prove(account, `${account}-secret`));
    assert.equal(answer.ok, true, JSON.stringify(answer));
  }

  /** A token of the account that is logged in. */
  async token(): Promise<string> {
    return (await this.ask({ verb: "token", action: "issue", label: "test" })).token as string;
  }

  /** Tries to log in. @param owner the account of a token @returns the answer to the proof */
  async prove(
    account: string,
    secret: string,
    mechanism: Mechanism = "password",
    owner?: string,
  ): Promise<FrameValue> {
    const proof = await this.proof(account, secret, mechanism, owner);
    await this.send({ verb: "proof", proof });
    return await this.answer();
  }

  /** Tries to change the password. @returns the answer */
  async passwd(account: string, old: string, verifier: Verifier): Promise<FrameValue> {
    await this.send({ verb: "passwd", verifier, proof: await this.proof(account, old) });
    return await this.answer();
  }

  /** Takes up a challenge. @returns the proof that it asks for */
  async proof(
    account: string,
    secret: string,
    mechanism: Mechanism = "password",
    owner?: string,
  ): Promise<string> {
    const asked = { mechanism, account, owner, nonce: nonce() };
    const { nonce: serverNonce, salt, n, r, p } = await this.ask({ verb: "auth", ...asked }) as {
      [field: string]: never;
    };
    const exchange = { ...asked, clientNonce: asked.nonce, serverNonce, salt, n, r, p };
    return quickProof(secret, exchange) ?? (await prove(secret, exchange)).proof;
  }

  /** The body behind the last answer. */
  async body(): Promise<Bytes> {
    const pieces: Bytes[] = [];
    for await (const piece of this.reader.body()) pieces.push(piece.slice());
    return join(...pieces);
  }

  /** Nothing more comes: the server ends the connection, or has cut it. */
  async gone(): Promise<void> {
    try {
      const frame = await this.reader.frame();
      assert.equal(frame, null, JSON.stringify(frame?.value));
    } catch (error) {
      if (!(error instanceof BargeError) || error.kind !== "unavailable") throw error;
      assert.doesNotMatch(error.message, /sent nothing/);
    }
  }

  [Symbol.dispose](): void {
    this.reader[Symbol.dispose]();
    this.stream.close();
  }
}

/** Is the server up, and does it answer? */
export async function assertUp(address: string): Promise<void> {
  using peer = await Peer.open(address);
  await peer.ask({ verb: "bye" });
}

/** A small upload, whole: the request with its body, and the trailer. */
export function eager(path: string, bytes: Uint8Array, fields: object = {}): Bytes {
  const { length } = bytes;
  const request = { verb: "put", path, size: length, body: length, ...fields };
  return join(request, bytes, { sha256: sha256(bytes) });
}

export function join(...pieces: readonly Piece[]): Bytes {
  const all = pieces.map((piece) => piece instanceof Uint8Array ? piece : encodeFrame(piece));
  const whole = new Uint8Array(all.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of all) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A text's bytes. */
export function text(content: string): Bytes {
  return new TextEncoder().encode(content);
}

/** Bytes of which each place tells where it is. */
export function pattern(length: number, seed = 0): Bytes {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) + (i >> 17) + seed) & 0xff;
  return bytes;
}
