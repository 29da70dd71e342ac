/**
 * The keystream of AES in counter mode (NIST SP 800-38A, section 6.5). The runtime's AES-CTR takes more than
 * twice as long as this: its AES-ECB encrypts the counters in one call, and they are combined with the bytes here.
 */
import type { Buffer } from "node:buffer";
import { createCipheriv } from "node:crypto";

export const blockBytes = 16;

/** Counters to encrypt; shared by all keystreams, and grown when a packet needs more. */
let counters = new DataView(new ArrayBuffer(36 * 1024));

export class Keystream {
  readonly #ecb: ReturnType<typeof createCipheriv>;
  /** The words of the next counter, the highest first. */
  readonly #counter: Uint32Array;

  /** @param name the name of the cipher in counter mode @param first the first counter */
  constructor(name: string, key: Buffer, first: Buffer) {
    this.#ecb = createCipheriv(name.replace("ctr", "ecb"), key, null);
    this.#ecb.setAutoPadding(false);
    this.#counter = Uint32Array.from([0, 4, 8, 12], (at) => first.readUInt32BE(at));
  }

  /** Frees the cipher's state, which the runtime keeps until then. */
  free(): void {
    this.#ecb.final();
  }

  /**
   * Returns the next blocks of the keystream, in memory of its own.
   *
   * @param bytes a multiple of the block's size
   * @param before the number of further blocks in front, of unspecified content
   * @param behind the number of further blocks behind, of unspecified content
   */
  next(bytes: number, before = 0, behind = 0): Buffer {
    const size = bytes + (before + behind) * blockBytes;
    if (size > counters.byteLength) counters = new DataView(new ArrayBuffer(size));
    this.#write(before * blockBytes, before * blockBytes + bytes);
    return this.#ecb.update(new Uint8Array(counters.buffer, 0, size));
  }

  /** Encrypts or decrypts bytes in place. @param bytes a multiple of the block's size */
  apply(buffer: Buffer, at: number, bytes: number): void {
    xor(buffer, at, this.next(bytes), 0, bytes);
  }

  /** Writes the next counters. */
  #write(start: number, end: number): void {
    const counter = this.#counter;
    const view = counters;
    for (let at = start; at < end; at += blockBytes) {
      view.setUint32(at, counter[0]);
      view.setUint32(at + 4, counter[1]);
      view.setUint32(at + 8, counter[2]);
      view.setUint32(at + 12, counter[3]);
      for (let word = 3; word >= 0; word--) {
        counter[word]++;
        if (counter[word] !== 0) break;
      }
    }
  }
}

/** Combines bytes with others, in place. @param size a multiple of 4 */
export function xor(into: Buffer, at: number, other: Buffer, otherAt: number, size: number): void {
  const [from, to] = [other.byteOffset + otherAt, into.byteOffset + at];
  if ((from | to) % 4 !== 0) {
    for (let i = 0; i < size; i++) into[at + i] ^= other[otherAt + i];
    return;
  }
  const words = new Uint32Array(into.buffer, to, size / 4);
  const others = new Uint32Array(other.buffer, from, size / 4);
  for (let i = 0; i < words.length; i++) words[i] ^= others[i];
}
