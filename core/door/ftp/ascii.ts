/**
 * Type A (RFC 959, section 3.1.1.1): lines end in CRLF on the wire and in LF in files. What is on one
 * side of a piece's edge is remembered for the other.
 */

const [lf, cr] = [10, 13];

/**
 * Lines as they are sent. An LF that has a CR in front already stays as it is, so that a file that
 * was written with CRLF comes back as it is.
 *
 * @example
 * ```ts
 * import { ToWire } from "./ascii.ts";
 * const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
 * const bytes = (text: string) => new TextEncoder().encode(text);
 * const to = new ToWire();
 * if (text(to.convert(bytes("a\nb\r"))) !== "a\r\nb\r") throw new Error();
 * if (text(to.convert(bytes("\nc"))) !== "\nc") throw new Error();
 * ```
 */
export class ToWire {
  #last = 0;
  #out = new Uint8Array();

  /** @returns what is good until the next call */
  convert(bytes: Uint8Array): Uint8Array {
    if (this.#out.length < 2 * bytes.length) this.#out = new Uint8Array(2 * bytes.length);
    let n = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === lf && this.#last !== cr) this.#out[n++] = cr;
      this.#out[n++] = this.#last = byte;
    }
    return this.#out.subarray(0, n);
  }
}

/**
 * Lines as they are stored. A CR without LF stays.
 *
 * @example
 * ```ts
 * import { FromWire } from "./ascii.ts";
 * const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
 * const bytes = (text: string) => new TextEncoder().encode(text);
 * const from = new FromWire();
 * if (text(from.convert(bytes("a\r\nb\r"))) !== "a\nb") throw new Error();
 * if (text(from.convert(bytes("\nc\r"))) !== "\nc" || text(from.rest()) !== "\r") throw new Error();
 * ```
 */
export class FromWire {
  #held = false;
  #out = new Uint8Array();

  /** @returns what is good until the next call; a CR at the end is held back */
  convert(bytes: Uint8Array): Uint8Array {
    if (this.#out.length < bytes.length + 1) this.#out = new Uint8Array(bytes.length + 1);
    let n = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (this.#held && byte !== lf) this.#out[n++] = cr;
      this.#held = byte === cr;
      if (!this.#held) this.#out[n++] = byte;
    }
    return this.#out.subarray(0, n);
  }

  /** What was held back, at the end. */
  rest(): Uint8Array {
    return this.#held ? Uint8Array.of(cr) : new Uint8Array();
  }
}
