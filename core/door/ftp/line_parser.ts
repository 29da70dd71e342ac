/**
 * Parses the bytes of a control connection into command lines, without I/O. Lines end in CRLF or LF.
 *
 * Telnet commands (RFC 854) are removed: a doubled IAC is one byte 255, options are refused, all
 * others are dropped. The IAC IP and IAC DM before an ABOR arrive as urgent data, of which the system
 * drops one byte. So single bytes that can't begin a command are dropped before a line, and an ABOR
 * whose LF may be the dropped byte ends at its CR.
 *
 * A malformed line is returned with its fault, and parsing goes on with the next line. At most one
 * line and the bytes of one feed are kept.
 */

/** The length of the longest line, CRLF included. */
export const maxLineBytes = 4096;

export interface Line {
  readonly text: string;
  /** Why it can't be a command: longer than {@link maxLineBytes}, with a NUL or CR, or not UTF-8. */
  readonly fault?: "long" | "nul" | "cr" | "encoding";
}

/** The most bytes of refusals that wait to be sent; a refusal has three. */
const maxRefusalBytes = 96;

const [lf, cr] = [10, 13];
const [iac, dont, do_, wont, will, sb, ip, se] = [255, 254, 253, 252, 251, 250, 244, 240];
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

type Telnet = "text" | "iac" | "will" | "do" | "other option" | "inside" | "inside iac";
const afterIac: ReadonlyMap<number, Telnet> = new Map([
  [will, "will"],
  [do_, "do"],
  [wont, "other option"],
  [dont, "other option"],
  [sb, "inside"],
]);

/**
 * @example
 * ```ts
 * import { LineParser } from "./line_parser.ts";
 * const parser = new LineParser();
 * parser.feed(new TextEncoder().encode("NOOP\r\nSTOR a"));
 * if (parser.next()?.text !== "NOOP" || parser.next() !== undefined) throw new Error();
 * parser.feed(new TextEncoder().encode(" b\r\n"));
 * if (parser.next()?.text !== "STOR a b") throw new Error();
 * ```
 */
export class LineParser {
  readonly #line = new Uint8Array(maxLineBytes);
  #length = 0;
  #long = false;
  #nul = false;
  #telnet: Telnet = "text";
  #input: Uint8Array = new Uint8Array();
  /** True if an ABOR was ended at its CR; an LF that comes next belongs to that ABOR. */
  #early = false;
  /** True if Telnet's IP has come, and no byte of a line after it. */
  #interrupted = false;
  #refusals: number[] = [];

  /** Takes bytes, which must not change until {@link next} returns undefined. */
  feed(bytes: Uint8Array): void {
    this.#input = bytes;
  }

  /** Returns the next line, or undefined when more bytes are needed. */
  next(): Line | undefined {
    for (let i = 0; i < this.#input.length; i++) {
      const byte = this.#input[i];
      if (this.#telnet !== "text" || byte === iac) {
        this.#negotiate(byte);
      } else if (byte === lf && this.#early) {
        this.#early = false;
      } else if (byte === lf) {
        this.#input = this.#input.subarray(i + 1);
        return this.#take();
      } else if (this.#length > 0 || byte < 0xf0) {
        this.#keep(byte);
      }
    }
    this.#input = new Uint8Array();
    if (this.#length !== 5 || this.#start().toUpperCase() !== "ABOR\r") return undefined;
    const line = this.#take();
    this.#early = true;
    return line;
  }

  /** True if the mark of urgent data may come before the end of the line. */
  get marked(): boolean {
    return this.#telnet !== "text" || "ABOR\r".startsWith(this.#start().toUpperCase());
  }

  /** True if Telnet's IP has come, and no byte of the command after it. */
  get interrupted(): boolean {
    return this.#interrupted && this.#length === 0;
  }

  /** Forgets Telnet's IP. */
  forgetInterrupt(): void {
    this.#interrupted = false;
  }

  /** Drops all bytes that are not part of a returned line. */
  discard(): void {
    this.#input = new Uint8Array();
    this.#take();
    this.#telnet = "text";
    this.#early = false;
    this.#refusals = [];
  }

  /** Returns the refusals of Telnet options that have to be sent, if there are any. */
  refusals(): Uint8Array | undefined {
    if (this.#refusals.length === 0) return undefined;
    const bytes = Uint8Array.from(this.#refusals);
    this.#refusals = [];
    return bytes;
  }

  /** Returns the first 6 bytes of the line, one more than "ABOR\r" has. */
  #start(): string {
    return String.fromCharCode(...this.#line.subarray(0, Math.min(this.#length, 6)));
  }

  #take(): Line {
    this.#interrupted = false;
    let length = this.#length;
    if (length > 0 && this.#line[length - 1] === cr) length--;
    const fault = this.#long ? "long" : this.#nul ? "nul" : undefined;
    this.#length = 0;
    this.#long = this.#nul = false;
    if (fault) return { text: "", fault };
    const line = this.#line.subarray(0, length);
    if (line.includes(cr)) return { text: "", fault: "cr" };
    try {
      return { text: decoder.decode(line) };
    } catch {
      return { text: "", fault: "encoding" };
    }
  }

  #keep(byte: number): void {
    this.#early = false;
    this.#nul ||= byte === 0;
    if (this.#length < maxLineBytes - 1) this.#line[this.#length++] = byte;
    else this.#long = true;
  }

  #negotiate(byte: number): void {
    const state = this.#telnet;
    this.#telnet = "text";
    switch (state) {
      case "text":
        this.#telnet = "iac";
        break;
      case "iac":
        this.#telnet = afterIac.get(byte) ?? "text";
        if (byte === ip) this.#interrupted = true;
        else if (byte === iac || byte < se) this.#keep(byte); // a stray IAC: commands begin at SE
        break;
      case "will":
      case "do":
        // Bounded: a client may send thousands of options in one piece.
        if (this.#refusals.length >= maxRefusalBytes) break;
        this.#refusals.push(iac, state === "will" ? dont : wont, byte);
        break;
      case "inside":
        // An option without an end is dropped up to the end of the line.
        if (byte !== lf) this.#telnet = byte === iac ? "inside iac" : "inside";
        break;
      case "inside iac":
        if (byte !== se) this.#telnet = "inside";
        break;
    }
  }
}
