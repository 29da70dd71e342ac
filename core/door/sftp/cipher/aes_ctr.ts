/**
 * aes128-ctr, aes192-ctr and aes256-ctr (RFC 4344, section 4) with an HMAC (RFC 6668) of the plain packet, or
 * of the encrypted one ("ETM", PROTOCOL, section 1.5, of OpenSSH).
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { packetAt } from "./frame.ts";
import { blockBytes, Keystream, xor } from "./keystream.ts";
import {
  type CipherConfig,
  type DecipherConfig,
  invalidMac,
  type MacInfo,
  PacketCipher,
  PacketDecipher,
} from "./packet_cipher.ts";

const bodyAt = packetAt + 4;

export class AesCtrCipher extends PacketCipher {
  readonly #keystream: Keystream;
  readonly #mac: Mac;

  constructor({ outbound }: CipherConfig) {
    const { cipherInfo, cipherKey, cipherIV, macInfo, macKey } = outbound;
    super(outbound, { block: blockBytes, unpadded: macInfo!.isETM ? 4 : 0 });
    this.#keystream = new Keystream(cipherInfo.sslName, cipherKey, cipherIV);
    this.#mac = new Mac(macInfo!, macKey!);
  }

  override free(): void {
    super.free();
    this.#keystream.free();
  }

  protected seal(frame: Buffer, packetBytes: number): Uint8Array[] {
    const { isETM, bytes: macBytes } = this.#mac;
    const from = isETM ? bodyAt : packetAt;
    const end = packetAt + packetBytes;
    // The keystream has a block in front for the number and the length, and room for the MAC.
    const sealed = this.#keystream.next(end - from, 1, macBytes / blockBytes);
    const sealedEnd = blockBytes + end - from;
    xor(sealed, blockBytes, frame, from, end - from);
    let mac: Buffer;
    if (isETM) {
      sealed.set(frame.subarray(packetAt, bodyAt), blockBytes - 4);
      sealed.writeUInt32BE(this.outSeqno, blockBytes - 8);
      mac = this.#mac.of(sealed.subarray(blockBytes - 8, sealedEnd));
    } else {
      frame.writeUInt32BE(this.outSeqno, packetAt - 4);
      mac = this.#mac.of(frame.subarray(packetAt - 4, end));
    }
    sealed.set(mac, sealedEnd);
    return [sealed.subarray(isETM ? blockBytes - 4 : blockBytes)];
  }
}

export class AesCtrDecipher extends PacketDecipher {
  readonly #keystream: Keystream;
  readonly #mac: Mac;

  constructor({ inbound }: DecipherConfig) {
    const { decipherInfo, decipherKey, decipherIV, macInfo, macKey } = inbound;
    super(inbound, macInfo!.isETM ? 4 : blockBytes, macInfo!.len);
    this.#keystream = new Keystream(decipherInfo.sslName, decipherKey, decipherIV);
    this.#mac = new Mac(macInfo!, macKey!);
  }

  override free(): void {
    super.free();
    this.#keystream.free();
  }

  protected lengthOf(frame: Buffer): number {
    if (!this.#mac.isETM) this.#keystream.apply(frame, packetAt, blockBytes);
    return frame.readUInt32BE(packetAt);
  }

  protected fits(length: number): boolean {
    const encrypted = this.#mac.isETM ? length : 4 + length;
    return encrypted >= blockBytes && encrypted % blockBytes === 0;
  }

  protected open(frame: Buffer, length: number): Buffer {
    const { isETM, bytes: macBytes } = this.#mac;
    const end = bodyAt + length;
    // Without ETM the first block is decrypted already.
    const from = isETM ? bodyAt : packetAt + blockBytes;
    if (!isETM) this.#keystream.apply(frame, from, end - from);
    frame.writeUInt32BE(this.inSeqno, packetAt - 4);
    const mac = this.#mac.of(frame.subarray(packetAt - 4, end));
    if (!timingSafeEqual(mac, frame.subarray(end, end + macBytes))) throw invalidMac();
    if (!isETM) return Buffer.copyBytesFrom(frame, bodyAt, length);
    const opened = this.#keystream.next(length);
    xor(opened, 0, frame, from, length);
    return opened;
  }
}

class Mac {
  readonly isETM: boolean;
  readonly bytes: number;
  readonly #hash: string;
  readonly #key: Buffer;

  constructor({ sslName, len, isETM }: MacInfo, key: Buffer) {
    this.isETM = isETM;
    this.bytes = len;
    this.#hash = sslName;
    this.#key = key;
  }

  of(bytes: Uint8Array): Buffer {
    return createHmac(this.#hash, this.#key).update(bytes).digest();
  }
}
