/**
 * chacha20-poly1305@openssh.com (PROTOCOL.chacha20poly1305 of OpenSSH), with one call of the runtime's
 * ChaCha20 for the key of Poly1305 and the packet: the key is the start of the block before the packet's.
 */
import { Buffer } from "node:buffer";
import { createCipheriv, timingSafeEqual } from "node:crypto";
import { packetAt } from "./frame.ts";
import {
  type CipherConfig,
  type DecipherConfig,
  invalidMac,
  PacketCipher,
  PacketDecipher,
} from "./packet_cipher.ts";
import { poly1305, poly1305KeyBytes } from "./poly1305.ts";

const blockBytes = 8;
const macBytes = 16;
/** The offset of the packet behind its length field: one block of ChaCha20. */
const bodyAt = packetAt + 4;
/** A block counter of 0, then a packet's number, both of 8 bytes. */
const nonce = Buffer.alloc(16);

export class ChaChaCipher extends PacketCipher {
  readonly #keys: Keys;

  constructor({ outbound }: CipherConfig) {
    super(outbound, { block: blockBytes, unpadded: 4 });
    this.#keys = keysOf(outbound.cipherKey);
  }

  protected seal(frame: Buffer, packetBytes: number): Uint8Array[] {
    const end = packetAt + packetBytes;
    const length = chacha20(this.#keys.length, this.outSeqno, frame.subarray(packetAt, bodyAt));
    const sealed = chacha20(this.#keys.packet, this.outSeqno, frame.subarray(0, end + macBytes));
    sealed.set(length, packetAt);
    sealed.set(poly1305(length, sealed.subarray(bodyAt, end), keyIn(sealed)), end);
    return [sealed.subarray(packetAt)];
  }
}

export class ChaChaDecipher extends PacketDecipher {
  readonly #keys: Keys;

  constructor({ inbound }: DecipherConfig) {
    super(inbound, 4, macBytes);
    this.#keys = keysOf(inbound.decipherKey);
  }

  protected lengthOf(frame: Buffer): number {
    const encrypted = frame.subarray(packetAt, bodyAt);
    return chacha20(this.#keys.length, this.inSeqno, encrypted).readUInt32BE(0);
  }

  protected fits(length: number): boolean {
    return length >= blockBytes && length % blockBytes === 0;
  }

  protected open(frame: Buffer, length: number): Buffer {
    const end = bodyAt + length;
    const opened = chacha20(this.#keys.packet, this.inSeqno, frame.subarray(0, end));
    const [head, body] = [frame.subarray(packetAt, bodyAt), frame.subarray(bodyAt, end)];
    const mac = poly1305(head, body, keyIn(opened));
    if (!timingSafeEqual(mac, frame.subarray(end, end + macBytes))) throw invalidMac();
    return opened.subarray(bodyAt);
  }
}

interface Keys {
  /** Encrypts packets, and makes the keys of Poly1305. */
  readonly packet: Buffer;
  /** Encrypts length fields. */
  readonly length: Buffer;
}

function keysOf(key: Buffer): Keys {
  return { packet: key.subarray(0, 32), length: key.subarray(32) };
}

/** Returns the key of Poly1305, which the zeros at the start of a frame became. */
function keyIn(encrypted: Buffer): Buffer {
  return encrypted.subarray(0, poly1305KeyBytes);
}

/** Encrypts bytes, or decrypts them, from the first block on. */
function chacha20(key: Buffer, seqno: number, bytes: Buffer): Buffer {
  nonce.writeUInt32BE(seqno, 12);
  const cipher = createCipheriv("chacha20", key, nonce);
  const result = cipher.update(bytes);
  cipher.final(); // frees its state
  return result;
}
