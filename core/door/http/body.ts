/**
 * The body of a request, read a piece at a time, so back-pressure is the kernel's. The first read sends
 * `100 Continue` to a client that waits for it (RFC 9110, section 10.1.1).
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import * as v from "valibot";
import { BargeError } from "../../error.ts";
import type { Brake } from "../brake.ts";
import { Refusal } from "./problem.ts";
import type { Watchdog } from "./watchdog.ts";

/** The most bytes of a body that is read at once: JSON, a form, XML. */
const maxBufferedBytes = 256 * 1024;

interface BodyOptions {
  readonly incoming: IncomingMessage;
  readonly watchdog: Watchdog;
  /** Sends `100 Continue`; undefined for a client that does not wait for it. */
  readonly sendContinue: (() => void) | undefined;
  readonly brake: () => Brake | undefined;
  /** Called for a body that the client has cut short, once the bytes that have arrived are read. */
  readonly onShort: () => void;
  /** Called with the number of bytes of a file that have arrived. */
  readonly onBytes: (bytes: number) => void;
}

export class Body {
  /** True if the client has ended its side before the end of the body. */
  isShort = false;
  readonly #options: BodyOptions;
  #begun = false;
  #broken: BargeError | undefined;
  #wake = () => {};

  constructor(options: BodyOptions) {
    this.#options = options;
  }

  /** The declared number of bytes; null for a body in chunks. @throws {Refusal} 413 above the largest file */
  get length(): number | null {
    const { headers } = this.#options.incoming;
    const length = Number(headers["content-length"] ?? 0);
    if (headers["transfer-encoding"]) return null;
    if (Number.isSafeInteger(length)) return length;
    throw new Refusal(413, "usage", "the body is larger than the largest file");
  }

  /** True while the client waits for `100 Continue` before it sends the body. */
  get awaitsContinue(): boolean {
    return this.#options.sendContinue !== undefined && !this.#begun;
  }

  /** Fails the current and all later reads. */
  break(reason: BargeError): void {
    this.#broken = reason;
    this.#wake();
  }

  /** Ends the body after the bytes that have arrived. */
  cutShort(): void {
    this.isShort = true;
    this.#wake();
  }

  /** Reads the body to its end, once, as bytes of a file. @throws {BargeError} `unavailable` */
  async *pieces(): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of this.#pieces()) {
      this.#options.onBytes(piece.length);
      yield piece;
    }
  }

  async *#pieces(): AsyncGenerator<Uint8Array, void, void> {
    const { incoming, watchdog, sendContinue, brake, onShort } = this.#options;
    if (this.#begun) throw new TypeError("the body was read before");
    this.#begun = true;
    if (this.length === 0) return;
    sendContinue?.();
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
        } else if (this.isShort) {
          onShort();
          break;
        } else {
          const more = new Promise<void>((resolve) => this.#wake = resolve);
          await watchdog.wait("read", 0, more.then(() => incoming.readableLength));
        }
      }
    } finally {
      for (const event of events) incoming.off(event, woken);
    }
    if (!incoming.complete) throw new BargeError("unavailable", "the connection was cut");
  }

  /** Reads a small body as a whole. @throws {Refusal} 413 for a longer one; as {@link pieces} */
  async bytes(maxBytes = maxBufferedBytes): Promise<Uint8Array> {
    const tooLong = () => new Refusal(413, "usage", `the body is longer than ${maxBytes} bytes`);
    if ((this.length ?? 0) > maxBytes) throw tooLong();
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of this.#pieces()) {
      size += piece.length;
      if (size > maxBytes) throw tooLong();
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  /** Reads a small body as text. @throws as {@link bytes}; `usage` for text that is not UTF-8 */
  async text(maxBytes = maxBufferedBytes): Promise<string> {
    const bytes = await this.bytes(maxBytes);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      throw new BargeError("usage", "the body is not UTF-8");
    }
  }

  /** Reads the fields of a form. @throws {Refusal} 415 for another type; as {@link bytes} */
  async form(): Promise<URLSearchParams> {
    this.expect("application/x-www-form-urlencoded");
    return new URLSearchParams(await this.text());
  }

  /** Reads JSON of a schema. @throws {Refusal} 415 for another type; {BargeError} `usage` */
  async json<S extends v.GenericSchema>(schema: S): Promise<v.InferOutput<S>> {
    this.expect("application/json");
    let value: unknown;
    try {
      value = JSON.parse(await this.text());
    } catch (error) {
      if (error instanceof BargeError) throw error;
      throw new BargeError("usage", "the body is not JSON");
    }
    return fit(schema, value);
  }

  /** Checks the type of the body. @throws {Refusal} 415 */
  expect(type: string): void {
    const contentType = this.#options.incoming.headers["content-type"] ?? "";
    if (contentType.split(";")[0].trim().toLowerCase() === type) return;
    throw new Refusal(415, "usage", `the body must be ${type}`, { headers: { accept: type } });
  }
}

const events = ["readable", "end", "close", "error"] as const;

/** Parses a value by a schema. @throws {BargeError} `usage`, with the name of the field */
export function fit<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue);
  const why = issue.expected === "never"
    ? "it is not a known field"
    : issue.input === undefined
    ? "it is missing"
    : issue.message.replace(/^Invalid /, "an invalid ").replace(/:.*/, "");
  throw new BargeError("usage", field ? `${field}: ${why}` : why);
}
