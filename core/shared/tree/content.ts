/** The content of an open file, or the staged bytes of an upload at this moment. */
import { createHash, type Hash } from "node:crypto";
import { BargeError } from "../../error.ts";
import type { FileContent, Reading } from "../../storage/content.ts";
import type { Parts } from "../bucket/parts.ts";
import { PieceReader } from "./pieces.ts";

export interface ContentFacts {
  readonly content: number;
  readonly size: number;
  readonly modified: number;
  readonly sha256: string | null;
}

/** The largest piece that {@link SharedContent.pieces} yields by default. */
const defaultPieceBytes = 1024 * 1024;

export class SharedContent implements FileContent {
  readonly size: number;
  readonly offset: number;
  readonly modified: number;
  readonly sha256: string | null;
  readonly undigested = null;
  readonly #reader: PieceReader;
  #position: number;
  #hash: Hash | undefined;

  constructor(parts: Parts, facts: ContentFacts, offset: number, { verifies }: Reading = {}) {
    this.size = facts.size;
    this.modified = facts.modified;
    this.sha256 = facts.sha256;
    this.offset = offset;
    this.#position = offset;
    this.#reader = new PieceReader(parts, facts.content, {
      verifies: verifies && facts.sha256 !== null,
    });
    if (facts.sha256 === null && offset === 0) this.#hash = createHash("sha256");
  }

  modifiedNow(): number {
    return this.modified;
  }

  seek(offset: number): Promise<void> {
    this.#position = offset;
    this.#hash = undefined;
    return Promise.resolve();
  }

  async read(into: Uint8Array): Promise<number> {
    const read = await this.readAt(this.#position, into);
    this.#hash?.update(into.subarray(0, read));
    this.#position += read;
    return read;
  }

  async readAt(position: number, into: Uint8Array): Promise<number> {
    const wanted = Math.min(into.length, this.size - position);
    if (wanted <= 0) return 0;
    return await this.#reader.copy(position, into.subarray(0, wanted)) ?? throwGone();
  }

  async *pieces(
    length = this.size - this.#position,
    maxPieceBytes = defaultPieceBytes,
  ): AsyncGenerator<Uint8Array, void, void> {
    for (let left = Math.min(length, this.size - this.#position); left > 0;) {
      const bytes = (await this.#from(this.#position)).subarray(0, Math.min(left, maxPieceBytes));
      this.#hash?.update(bytes);
      this.#position += bytes.length;
      left -= bytes.length;
      yield bytes;
    }
  }

  async rest(length = this.size - this.#position): Promise<Uint8Array> {
    const all = new Uint8Array(Math.min(length, this.size - this.#position));
    for (let at = 0; at < all.length;) at += await this.read(all.subarray(at));
    return all;
  }

  digest(): string {
    return this.sha256 ?? this.#hash!.copy().digest("hex");
  }

  close(): void {
    this.#reader[Symbol.dispose]();
  }

  async #from(position: number): Promise<Uint8Array> {
    return await this.#reader.from(position) ?? throwGone();
  }
}

function throwGone(): never {
  throw new BargeError("changed", "the file was removed, and its bytes are gone", {
    hint: "start again",
  });
}
