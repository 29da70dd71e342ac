/** The bytes that a test's client has received and not yet taken: joined once for each use. */
import { Buffer } from "node:buffer";

export class Received {
  #pieces: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  /** Returns all bytes, and keeps them. */
  joined(): Buffer {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0];
  }

  /** Removes and returns the first bytes, of which there are enough. */
  take(size: number): Buffer {
    const all = this.joined();
    this.#pieces = [all.subarray(size)];
    this.#length = all.length - size;
    return all.subarray(0, size);
  }

  /** Removes all bytes. @returns their number */
  clear(): number {
    const length = this.#length;
    this.#pieces = [];
    this.#length = 0;
    return length;
  }
}
