/**
 * Converts line ends of type A (RFC 959, section 3.1.1.1): CRLF on the wire, LF in files. A CR and its
 * LF may come in two pieces.
 */

const [lf, cr] = [10, 13];

/**
 * Converts lines for sending. An LF after a CR stays unchanged, so that files with CRLF stay unchanged.
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

  /** @returns bytes that are valid until the next call */
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
 * Converts received lines for storing. A CR without LF stays.
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

  /** @returns bytes that are valid until the next call; a CR at the end is kept back, as its LF may follow */
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

  /** Returns the CR at the end of the input, if there was one. */
  rest(): Uint8Array {
    return this.#held ? Uint8Array.of(cr) : new Uint8Array();
  }
}
