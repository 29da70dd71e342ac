/**
 * aes128-gcm@openssh.com and aes256-gcm@openssh.com (RFC 5647).
 *
 * The runtime's `node:crypto` takes three times as long for AES-GCM as its WebCrypto, which runs in other
 * threads. So WebCrypto encrypts and decrypts large packets, several at a time. A small packet takes less
 * time than handing it to a thread. The order of packets stays.
 */
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { giveBackFrame, packetAt } from "./frame.ts";
import { LaterBytes, LaterPayloads } from "./later.ts";
import {
  type CipherConfig,
  type DecipherConfig,
  invalidMac,
  type OnPayload,
  type OnWrite,
  PacketCipher,
  PacketDecipher,
} from "./packet_cipher.ts";

const blockBytes = 16;
const tagBytes = 16;
const bodyAt = packetAt + 4;
/** Packets from this size on are left to other threads. */
const minLargeBytes = 8 * 1024;

export class AesGcmCipher extends PacketCipher {
  readonly #key: GcmKey;

  constructor({ outbound }: CipherConfig) {
    super(outbound, { block: blockBytes, unpadded: 4 });
    const { cipherInfo, cipherKey, cipherIV } = outbound;
    this.#key = new GcmKey(cipherInfo.sslName as GcmName, cipherKey, cipherIV);
  }

  protected seal(frame: Buffer, packetBytes: number): (Uint8Array | LaterBytes)[] {
    const end = packetAt + packetBytes;
    const length = Buffer.copyBytesFrom(frame, packetAt, 4);
    const body = frame.subarray(bodyAt, end) as Uint8Array<ArrayBuffer>;
    const nonce = this.#key.nextNonce();
    const { name, secret, imported } = this.#key;
    if (packetBytes >= minLargeBytes && imported) {
      const sealed = crypto.subtle.encrypt(gcm(nonce, length), imported, body)
        .then((bytes) => new Uint8Array(bytes));
      sealed.catch(() => {/* thrown to the socket, if it still sends */});
      return [length, new LaterBytes(body.length + tagBytes, sealed)];
    }
    const cipher = createCipheriv(name, secret, nonce).setAAD(length);
    const sealed = cipher.update(body);
    cipher.final();
    return [length, sealed, cipher.getAuthTag()];
  }
}

export class AesGcmDecipher extends PacketDecipher {
  readonly #key: GcmKey;
  readonly #onWrite: OnWrite;
  /** The handler outside of key exchanges. Packets of a key exchange must not wait, since the keys change behind them. */
  readonly #usual: OnPayload;
  /** Packets that are not handed on yet, in their order. */
  readonly #waiting: (Buffer | Promise<Buffer>)[] = [];
  #freed = false;

  constructor({ inbound, outbound }: DecipherConfig) {
    super(inbound, 4, tagBytes);
    const { decipherInfo, decipherKey, decipherIV } = inbound;
    this.#key = new GcmKey(decipherInfo.sslName as GcmName, decipherKey, decipherIV);
    this.#onWrite = outbound.onWrite;
    this.#usual = inbound.onPayload;
  }

  override free(): void {
    super.free();
    this.#freed = true;
  }

  protected lengthOf(frame: Buffer): number {
    return frame.readUInt32BE(packetAt);
  }

  protected fits(length: number): boolean {
    return length >= blockBytes && length % blockBytes === 0;
  }

  protected override accept(frame: Buffer, length: number): ReturnType<OnPayload> {
    const { imported } = this.#key;
    const large = length >= minLargeBytes && imported && this._onPayload === this.#usual;
    if (!large && this.#waiting.length === 0) return super.accept(frame, length);
    const plain = large ? this.#openLater(imported, frame, length) : this.open(frame, length);
    giveBackFrame(frame);
    if (plain instanceof Promise) plain.catch(() => {/* thrown in its turn */});
    this.#waiting.push(plain);
    if (this.#waiting.length > 1) return undefined;
    const done = this.#deliverAll();
    done.catch(() => {/* thrown to the socket, if it still reads */});
    this.#onWrite(new LaterPayloads(done, () => this.#waiting.length));
  }

  protected open(frame: Buffer, length: number): Buffer {
    const { name, secret } = this.#key;
    const end = bodyAt + length;
    const decipher = createDecipheriv(name, secret, this.#key.nextNonce())
      .setAAD(frame.subarray(packetAt, bodyAt))
      .setAuthTag(frame.subarray(end, end + tagBytes));
    const plain = decipher.update(frame.subarray(bodyAt, end));
    try {
      decipher.final();
    } catch {
      throw invalidMac();
    }
    return plain;
  }

  async #openLater(key: CryptoKey, frame: Buffer, length: number): Promise<Buffer> {
    const algorithm = gcm(this.#key.nextNonce(), frame.subarray(packetAt, bodyAt));
    const sealed = frame.subarray(bodyAt, bodyAt + length + tagBytes) as Uint8Array<ArrayBuffer>;
    try {
      return Buffer.from(await crypto.subtle.decrypt(algorithm, key, sealed));
    } catch {
      throw invalidMac();
    }
  }

  /** Hands on the waiting packets as soon as each is decrypted. */
  async #deliverAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const plain = await this.#waiting[0];
      if (this.#freed) return;
      const next = this.deliver(plain);
      this.#waiting.shift();
      if (next !== undefined) throw new Error("Packets behind a change of keys came too early");
    }
  }
}

type GcmName = "aes-128-gcm" | "aes-256-gcm";

/** A key, and the nonces for its packets. */
class GcmKey {
  readonly name: GcmName;
  readonly secret: Buffer;
  /** The key for WebCrypto; undefined until it is imported. */
  imported: CryptoKey | undefined;
  /** 4 fixed bytes, and 8 that count packets. */
  readonly #nonce: Buffer;

  constructor(name: GcmName, secret: Buffer, nonce: Buffer) {
    this.name = name;
    this.secret = secret;
    this.#nonce = Buffer.copyBytesFrom(nonce);
    const usages: KeyUsage[] = ["encrypt", "decrypt"];
    crypto.subtle.importKey("raw", new Uint8Array(secret), "AES-GCM", false, usages)
      .then((key) => this.imported = key);
  }

  /** Returns the nonce of the next packet. */
  nextNonce(): Buffer<ArrayBuffer> {
    const nonce = Buffer.copyBytesFrom(this.#nonce);
    const count = this.#nonce.readBigUInt64BE(4) + 1n;
    this.#nonce.writeBigUInt64BE(BigInt.asUintN(64, count), 4);
    return nonce as Buffer<ArrayBuffer>;
  }
}

/** Returns WebCrypto's name of the cipher with the nonce and the length of a packet, which it copies. */
function gcm(iv: BufferSource, length: Uint8Array): AesGcmParams {
  return { name: "AES-GCM", iv, additionalData: length as Uint8Array<ArrayBuffer> };
}
