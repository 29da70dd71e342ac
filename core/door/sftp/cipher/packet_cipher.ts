/** The framing of encrypted packets (RFC 4253, section 6), in the shape in which `ssh2` uses ciphers. */
import { Buffer } from "node:buffer";
import { giveBackFrame, packetAt, takeFrame } from "./frame.ts";
import type { LaterBytes, LaterPayloads } from "./later.ts";

/** A MAC as `ssh2` describes it. */
export interface MacInfo {
  /** The name of its hash. */
  readonly sslName: string;
  readonly len: number;
  /** Whether it covers the encrypted packet, whose length is not encrypted then. */
  readonly isETM: boolean;
}

/** The name of a cipher, as `ssh2` describes it. */
interface CipherInfo {
  readonly sslName: string;
}

/** Hands an object to the socket: `ssh2` passes on what it gets. */
export type OnWrite = (bytes: Uint8Array | LaterBytes | LaterPayloads) => void;

/** The arguments with which `ssh2` makes a cipher. */
export interface CipherConfig {
  readonly outbound: {
    readonly onWrite: OnWrite;
    readonly seqno: number;
    readonly cipherInfo: CipherInfo;
    readonly cipherKey: Buffer;
    readonly cipherIV: Buffer;
    readonly macInfo?: MacInfo;
    readonly macKey?: Buffer;
  };
}

/** The arguments with which `ssh2` makes a decipher. */
export interface DecipherConfig {
  readonly outbound: Pick<CipherConfig["outbound"], "onWrite">;
  readonly inbound: {
    readonly onPayload: OnPayload;
    readonly seqno: number;
    readonly decipherInfo: CipherInfo;
    readonly decipherKey: Buffer;
    readonly decipherIV: Buffer;
    readonly macInfo?: MacInfo;
    readonly macKey?: Buffer;
  };
}

/** Handles a payload. Any result but undefined ends the decipher: `false`, or where to read on. */
export type OnPayload = (payload: Buffer) => number | false | undefined;

/** The sizes of a cipher, in bytes. */
interface Sizes {
  readonly block: number;
  /** The part of the length field that is not padded with the rest: 4, or 0. */
  readonly unpadded: number;
}

/** The longest packet that is accepted, without its length field and MAC. */
const maxPacketBytes = 35_000;

/** Encrypts packets. The names of its public members are those that `ssh2` uses. */
export abstract class PacketCipher {
  outSeqno: number;
  readonly #onWrite: OnWrite;
  readonly #sizes: Sizes;
  #freed = false;

  constructor({ seqno, onWrite }: CipherConfig["outbound"], sizes: Sizes) {
    this.outSeqno = seqno;
    this.#onWrite = onWrite;
    this.#sizes = sizes;
  }

  /** Returns a packet, in a frame, whose payload the caller writes from its sixth byte on. */
  allocPacket(payloadBytes: number): Buffer {
    const { block, unpadded } = this.#sizes;
    const filled = 4 + 1 + payloadBytes;
    let padding = block - (filled - unpadded) % block;
    if (padding < 4) padding += block;
    const bytes = filled + padding;
    const packet = takeFrame(bytes).subarray(packetAt, packetAt + bytes);
    packet.writeUInt32BE(bytes - 4, 0);
    packet[4] = padding;
    crypto.getRandomValues(packet.subarray(filled));
    return packet;
  }

  /** Encrypts a packet of {@link allocPacket} and writes it; its frame is used again then. */
  encrypt(packet: Buffer): void {
    if (this.#freed) return;
    const frame = Buffer.from(packet.buffer);
    for (const bytes of this.seal(frame, packet.length)) this.#onWrite(bytes);
    giveBackFrame(frame);
    this.outSeqno = (this.outSeqno + 1) >>> 0;
  }

  free(): void {
    this.#freed = true;
  }

  /** Returns the parts of the encrypted packet with its MAC, in memory of their own. */
  protected abstract seal(
    frame: Buffer,
    packetBytes: number,
  ): readonly (Uint8Array | LaterBytes)[];
}

/** Gathers and decrypts packets. The names of its public members are those that `ssh2` uses. */
export abstract class PacketDecipher {
  inSeqno: number;
  /** `ssh2` replaces it during a key exchange. */
  _onPayload: OnPayload;
  readonly #headBytes: number;
  readonly #macBytes: number;
  #frame: Buffer | undefined;
  /** The number of bytes in the frame, from the packet's start. */
  #filled = 0;
  /** The bytes of the packet behind its length field; 0 until they are known. */
  #length = 0;

  /** @param headBytes the first bytes of a packet, which {@link lengthOf} needs */
  constructor(
    { seqno, onPayload }: DecipherConfig["inbound"],
    headBytes: number,
    macBytes: number,
  ) {
    this.inSeqno = seqno;
    this._onPayload = onPayload;
    this.#headBytes = headBytes;
    this.#macBytes = macBytes;
  }

  /**
   * Decrypts received bytes, and keeps none of them.
   *
   * @param at the offset of the first byte to read, of `end`
   * @returns where the next decipher reads on, if a payload has ended this one
   * @throws {Error} for a wrong MAC, or a length that no packet has
   */
  decrypt(data: Buffer, at: number, end: number): number | undefined {
    while (at < end) {
      const frame = this.#frame ??= takeFrame(maxPacketBytes + 4);
      const wanted = this.#length === 0 ? this.#headBytes : 4 + this.#length + this.#macBytes;
      const n = Math.min(wanted - this.#filled, end - at);
      frame.set(new Uint8Array(data.buffer, data.byteOffset + at, n), packetAt + this.#filled);
      this.#filled += n;
      at += n;
      if (this.#filled < wanted) return undefined;
      if (this.#length === 0) {
        const length = this.lengthOf(frame);
        if (length > maxPacketBytes || !this.fits(length)) throw new Error("Bad packet length");
        this.#length = length;
        continue;
      }
      const length = this.#length;
      this.#frame = undefined;
      this.#filled = 0;
      this.#length = 0;
      const next = this.accept(frame, length);
      if (next !== undefined) return next === false ? at : next;
    }
  }

  free(): void {
    this.#frame = undefined;
  }

  /** Decrypts a packet and hands it on. @returns the result of `_onPayload` */
  protected accept(frame: Buffer, length: number): ReturnType<OnPayload> {
    const plain = this.open(frame, length);
    giveBackFrame(frame);
    return this.deliver(plain);
  }

  /** Hands on a decrypted packet. */
  protected deliver(plain: Buffer): ReturnType<OnPayload> {
    this.inSeqno = (this.inSeqno + 1) >>> 0;
    return this._onPayload(plain.subarray(1, plain.length - plain[0]));
  }

  /** Returns the length of a packet, of which the head is in the frame. */
  protected abstract lengthOf(frame: Buffer): number;
  /** Returns whether a packet may have this length. */
  protected abstract fits(length: number): boolean;
  /**
   * Returns the decrypted packet behind its length field, in memory of its own.
   *
   * @throws {Error} for a wrong MAC
   */
  protected abstract open(frame: Buffer, length: number): Buffer;
}

/** The error of a packet that was changed on its way. */
export function invalidMac(): Error {
  return new Error("Invalid MAC");
}
