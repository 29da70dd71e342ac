/**
 * The body of a request: read only when it is asked for, a piece at a time, so that back-pressure is
 * the kernel's. Whoever asks for the first piece says `100 Continue` to a client that waits for it;
 * a request that is refused before that has cost its sender no byte (RFC 9110, section 10.1.1).
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import * as v from "valibot";
import { BargeError } from "../../error.ts";
import type { Brake } from "../brake.ts";
import { Refusal } from "./problem.ts";
import type { Vigil } from "./watchdog.ts";

/** The most that a body may have that is read as a whole: JSON, a form, XML. */
const mostWhole = 256 * 1024;

export interface BodyOptions {
  readonly incoming: IncomingMessage;
  readonly vigil: Vigil;
  /** Tells the client to go on; undefined where it does not wait for that. */
  readonly goOn: (() => void) | undefined;
  readonly brake: () => Brake | undefined;
  /** True if the client has ended its side before the end of the body. */
  readonly isShort: () => boolean;
  /** Called when all bytes of such a body that have arrived are read. */
  readonly onShort: () => void;
  /** Told of bytes of a file that have arrived. */
  readonly onBytes: (bytes: number) => void;
}

export class Body {
  /** Declared bytes; null when they come in chunks. */
  readonly length: number | null;
  readonly #options: BodyOptions;
  #begun = false;
  #broken: BargeError | undefined;
  #wake = () => {};

  /** @throws {Refusal} 413 */
  constructor(options: BodyOptions) {
    const { headers } = options.incoming;
    this.#options = options;
    this.length = headers["transfer-encoding"] ? null : Number(headers["content-length"] ?? 0);
    if (this.length === null || Number.isSafeInteger(this.length)) return;
    throw new Refusal(413, "usage", "no file is that large");
  }

  /** What follows is no body any more: whoever reads it, or will, is told so. */
  break(reason: BargeError): void {
    this.#broken = reason;
    this.#wake();
  }

  /** Wakes a reader, which then sees `isShort`. */
  shortened(): void {
    this.#wake();
  }

  /** Is it being read, or was it? */
  get begun(): boolean {
    return this.#begun;
  }

  /**
   * The body, to its end, once; bytes of a file, which are counted.
   *
   * @throws {BargeError} `unavailable` when the connection is cut before
   */
  async *pieces(): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of this.#pieces()) {
      this.#options.onBytes(piece.length);
      yield piece;
    }
  }

  async *#pieces(): AsyncGenerator<Uint8Array, void, void> {
    const { incoming, vigil, goOn, brake, isShort, onShort } = this.#options;
    if (this.#begun) throw new TypeError("the body was read already");
    this.#begun = true;
    if (this.length === 0) return;
    goOn?.();
    const woken = () => this.#wake();
    for (const event of events) incoming.on(event, woken);
    try {
      while (true) {
        if (this.#broken) throw this.#broken;
        const piece: Buffer | null = incoming.read();
        if (piece) {
          await brake()?.hold(piece.length);
          yield piece;
        } else if (incoming.readableEnded || incoming.destroyed) {
          break;
        } else if (isShort()) {
          onShort();
          break;
        } else {
          const more = new Promise<void>((resolve) => this.#wake = resolve);
          await vigil.wait("read", 0, more.then(() => incoming.readableLength));
        }
      }
    } finally {
      for (const event of events) incoming.off(event, woken);
    }
    if (!incoming.complete) throw new BargeError("unavailable", "the connection was cut");
  }

  /**
   * All of a small body.
   *
   * @param most bytes
   * @throws {Refusal} 413 for a longer one; {BargeError} as {@link pieces}
   */
  async bytes(most = mostWhole): Promise<Uint8Array> {
    const tooLong = () => new Refusal(413, "usage", `a body of more than ${most} bytes`);
    if ((this.length ?? 0) > most) throw tooLong();
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of this.#pieces()) {
      size += piece.length;
      if (size > most) throw tooLong();
      pieces.push(piece);
    }
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  /** All of a small body that is text. @throws as {@link bytes}; `usage` for what is not UTF-8 */
  async text(most = mostWhole): Promise<string> {
    const bytes = await this.bytes(most);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      throw new BargeError("usage", "the body is not UTF-8");
    }
  }

  /** The fields of a form. @throws {Refusal} 415 for another type; as {@link bytes} */
  async form(): Promise<URLSearchParams> {
    this.#expect("application/x-www-form-urlencoded");
    return new URLSearchParams(await this.text());
  }

  /**
   * JSON that fits a schema.
   *
   * @throws {Refusal} 415 for another type; {BargeError} `usage` for what is no JSON or does not fit
   */
  async json<S extends v.GenericSchema>(schema: S): Promise<v.InferOutput<S>> {
    this.#expect("application/json");
    let value: unknown;
    try {
      value = JSON.parse(await this.text());
    } catch (error) {
      if (error instanceof BargeError) throw error;
      throw new BargeError("usage", "the body is no JSON");
    }
    return fit(schema, value);
  }

  #expect(type: string): void {
    const given = this.#options.incoming.headers["content-type"] ?? "";
    if (given.split(";")[0].trim().toLowerCase() === type) return;
    throw new Refusal(415, "usage", `the body must be ${type}`, { headers: { accept: type } });
  }
}

const events = ["readable", "end", "close", "error"] as const;

/** What came from outside, as a schema has it. @throws {BargeError} `usage`, naming the field */
export function fit<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue);
  const why = issue.expected === "never"
    ? "it is not known here"
    : issue.input === undefined
    ? "it is missing"
    : issue.message.replace(/^Invalid /, "an invalid ").replace(/:.*/, "");
  throw new BargeError("usage", field ? `${field}: ${why}` : why);
}
