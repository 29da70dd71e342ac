/**
 * The server's side of the TLS handshake of a challenge (RFC 8737), without I/O. The runtime's TLS can't do it: it
 * refuses a certificate with a critical extension that it does not know, and `acmeIdentifier` has to be one.
 *
 *   hello -> key exchange -> (change of cipher) -> finished -> done
 *
 * It is TLS 1.2 with one suite, ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 on P-256 (RFC 5246, RFC 5289, RFC 8422), which
 * each client with TLS 1.2 or newer offers that has not excluded it. The connection ends after the handshake, so no
 * data is ever encrypted, and nothing secret depends on this code: the certificate is public.
 */
import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { BargeError } from "../../error.ts";
import type { KeyPair } from "../certificate.ts";
import { readHello } from "../handshake.ts";

/** The protocol of challenges. */
export const challengeProtocol = "acme-tls/1";

const suite = 0xc02b;
const renegotiationSuite = 0x00ff;
const renegotiationExtension = 0xff01;
const version = [3, 3];
const [changeCipherSpec, alert, handshake] = [20, 21, 22];
const [serverHello, certificate, serverKeyExchange, serverHelloDone] = [2, 11, 12, 14];
const [clientHello, clientKeyExchange, finished] = [1, 16, 20];
const maxBytes = 64 * 1024;
const tagBytes = 16;

/** The keys of both sides. */
interface Keys {
  readonly master: Buffer;
  readonly client: { readonly key: Buffer; readonly iv: Buffer };
  readonly server: { readonly key: Buffer; readonly iv: Buffer };
}

export class ChallengeTls {
  readonly #pair: KeyPair;
  readonly #exchange = createECDH("prime256v1");
  readonly #serverRandom = randomBytes(32);
  #clientRandom: Buffer = Buffer.alloc(0);
  #received = 0;
  #records: Buffer = Buffer.alloc(0);
  #messages: Buffer = Buffer.alloc(0);
  /** All handshake messages of both sides. */
  #transcript: Buffer[] = [];
  #expected = clientHello;
  #encrypted = false;
  #keys: Keys | undefined;
  #sent: Buffer[] = [];

  /** True when the handshake is complete. */
  done = false;

  constructor(pair: KeyPair) {
    this.#pair = pair;
  }

  /**
   * Takes bytes of the client.
   *
   * @returns the bytes to send
   * @throws {BargeError} `protocol` for a client that offers nothing in common, or breaks the protocol
   */
  feed(bytes: Uint8Array): Uint8Array {
    this.#received += bytes.length;
    if (this.#received > maxBytes) throw failure("it sends too much");
    this.#records = Buffer.concat([this.#records, bytes]);
    while (!this.done && this.#records.length >= 5) {
      const end = 5 + this.#records.readUInt16BE(3);
      if (this.#records.length < end) break;
      const [type] = this.#records;
      const content = this.#records.subarray(5, end);
      this.#records = this.#records.subarray(end);
      this.#take(type, content);
    }
    const sent = Buffer.concat(this.#sent);
    this.#sent = [];
    return sent;
  }

  #take(type: number, content: Buffer): void {
    if (type === changeCipherSpec && this.#keys) {
      this.#encrypted = true;
    } else if (type === handshake) {
      const plain = this.#encrypted ? this.#decrypt(content) : content;
      this.#messages = Buffer.concat([this.#messages, plain]);
      this.#takeMessages();
    } else throw failure(type === alert ? "it refuses the certificate" : "it sends no handshake");
  }

  #takeMessages(): void {
    while (this.#messages.length >= 4) {
      const end = 4 + this.#messages.readUIntBE(1, 3);
      if (this.#messages.length < end) return;
      const message = this.#messages.subarray(0, end);
      this.#messages = this.#messages.subarray(end);
      if (message[0] !== this.#expected || this.#encrypted !== (message[0] === finished)) {
        throw failure("a message is out of order");
      }
      this.#answer(message);
    }
  }

  #answer(message: Buffer): void {
    const body = message.subarray(4);
    if (message[0] === finished) this.#checkFinished(body);
    this.#transcript.push(message);
    if (message[0] === clientHello) this.#answerHello(body);
    else if (message[0] === clientKeyExchange) this.#derive(body);
    else this.#finish();
  }

  #answerHello(body: Buffer): void {
    const { suites, extensions } = readHello(body);
    if (!suites.includes(suite)) throw failure("it does not offer the cipher suite of challenges");
    this.#clientRandom = body.subarray(2, 34);
    const renegotiates = suites.includes(renegotiationSuite) ||
      extensions.has(renegotiationExtension);
    const name = Buffer.from(challengeProtocol);
    const answers = Buffer.concat([
      ...(renegotiates ? [Buffer.of(0xff, 1, 0, 1, 0)] : []),
      ...[Buffer.of(0, 16), vector(2, vector(2, vector(1, name)))],
    ]);
    this.#say(serverHello, [
      ...[Buffer.from(version), this.#serverRandom, Buffer.of(0, suite >> 8, suite & 0xff, 0)],
      vector(2, answers),
    ]);
    this.#say(certificate, [vector(3, vector(3, new X509Certificate(this.#pair.cert).raw))]);
    // A named curve: secp256r1. The signature: ecdsa_secp256r1_sha256.
    const share = Buffer.concat([Buffer.of(3, 0, 23), vector(1, this.#exchange.generateKeys())]);
    const signed = Buffer.concat([this.#clientRandom, this.#serverRandom, share]);
    const signature = sign("sha256", signed, createPrivateKey(this.#pair.key));
    this.#say(serverKeyExchange, [share, Buffer.of(4, 3), vector(2, signature)]);
    this.#say(serverHelloDone, []);
    this.#expected = clientKeyExchange;
  }

  #derive(body: Buffer): void {
    let secret: Buffer;
    try {
      secret = Buffer.from(this.#exchange.computeSecret(body.subarray(1)));
    } catch (cause) {
      throw failure("its key can't be used", cause);
    }
    const [client, server] = [this.#clientRandom, this.#serverRandom];
    const master = expand(secret, "master secret", Buffer.concat([client, server]), 48);
    const block = expand(master, "key expansion", Buffer.concat([server, client]), 40);
    this.#keys = {
      master,
      client: { key: block.subarray(0, 16), iv: block.subarray(32, 36) },
      server: { key: block.subarray(16, 32), iv: block.subarray(36, 40) },
    };
    this.#expected = finished;
  }

  #decrypt(content: Buffer): Buffer {
    const { key, iv } = this.#keys!.client;
    const bytes = content.length - 8 - tagBytes;
    if (bytes < 0) throw failure("a record is too short");
    try {
      const nonce = Buffer.concat([iv, content.subarray(0, 8)]);
      const opening = createDecipheriv("aes-128-gcm", key, nonce).setAAD(associated(bytes))
        .setAuthTag(content.subarray(-tagBytes));
      return Buffer.concat([opening.update(content.subarray(8, -tagBytes)), opening.final()]);
    } catch (cause) {
      throw failure("a record can't be decrypted", cause);
    }
  }

  #checkFinished(body: Buffer): void {
    if (!body.equals(this.#verifyData("client finished"))) throw failure("its handshake differs");
  }

  #finish(): void {
    const { key, iv } = this.#keys!.server;
    const data = this.#verifyData("server finished");
    const plain = Buffer.concat([Buffer.of(finished), vector(3, data)]);
    const explicit = Buffer.alloc(8);
    const sealing = createCipheriv("aes-128-gcm", key, Buffer.concat([iv, explicit]))
      .setAAD(associated(plain.length));
    const parts = [explicit, sealing.update(plain), sealing.final(), sealing.getAuthTag()];
    this.#sent.push(
      record(changeCipherSpec, Buffer.of(1)),
      record(handshake, Buffer.concat(parts)),
    );
    this.done = true;
  }

  #verifyData(label: string): Buffer {
    const digest = createHash("sha256").update(Buffer.concat(this.#transcript)).digest();
    return expand(this.#keys!.master, label, digest, 12);
  }

  #say(type: number, parts: readonly Uint8Array[]): void {
    const message = Buffer.concat([Buffer.of(type), vector(3, Buffer.concat(parts))]);
    this.#transcript.push(message);
    this.#sent.push(record(handshake, message));
  }
}

function record(type: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(type, ...version), vector(2, content)]);
}

/** Returns the associated data of the only encrypted record of a side: its number is 0. */
function associated(bytes: number): Buffer {
  return Buffer.concat([
    Buffer.alloc(8),
    Buffer.of(handshake, ...version, bytes >> 8, bytes & 255),
  ]);
}

/** Returns bytes behind their length. @param size of the length, in bytes */
function vector(size: number, bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(size);
  length.writeUIntBE(bytes.length, 0, size);
  return Buffer.concat([length, bytes]);
}

/** The pseudorandom function of TLS 1.2 (RFC 5246, section 5). */
function expand(secret: Uint8Array, label: string, seed: Uint8Array, size: number): Buffer {
  const hmac = (data: Uint8Array) => createHmac("sha256", secret).update(data).digest();
  const whole = Buffer.concat([Buffer.from(label), seed]);
  let round = hmac(whole);
  let result: Buffer = Buffer.alloc(0);
  while (result.length < size) {
    result = Buffer.concat([result, hmac(Buffer.concat([round, whole]))]);
    round = hmac(round);
  }
  return result.subarray(0, size);
}

function failure(why: string, cause?: unknown): BargeError {
  return new BargeError("protocol", `a certificate authority's challenge failed: ${why}`, {
    cause,
  });
}
