/** Failures on the wire: from a BargeError to the fields of an answer, and back. */
import type * as v from "valibot";
import { BargeError, isKind } from "../error.ts";
import type { wireError } from "./field.ts";

type WireError = v.InferOutput<typeof wireError>;

/** The most characters of all messages in one answer, and of all hints, so that both fit into one frame. */
const maxMessageChars = 8000;

/**
 * Returns the answer that reports a failure, without its cause. Long texts are cut so that the
 * answer fits into a frame. Lone surrogates become U+FFFD: many JSON parsers refuse them.
 */
export function failure({ kind, message, op, path, account, hint }: BargeError): object {
  return {
    ok: false,
    error: {
      kind,
      message: cut(message, 2000),
      op: op && cut(op, 100),
      path: path && cut(path, 4096),
      account: account && cut(account, 255),
      hint: hint && cut(hint, 500),
    },
  };
}

/**
 * Returns the failures of several files for one answer. The more failures, the shorter each text;
 * paths are omitted, since the client has them.
 *
 * @example
 * ```ts
 * import { BargeError } from "../error.ts";
 * import { wireErrors } from "./failure.ts";
 * const [error] = wireErrors([new BargeError("exists", "it is a folder", { path: "/home/a" })]);
 * if (JSON.stringify(error) !== '{"kind":"exists","message":"it is a folder"}') throw new Error();
 * ```
 */
export function wireErrors(errors: readonly BargeError[]): WireError[] {
  const length = Math.min(2000, Math.floor(maxMessageChars / errors.length));
  return errors.map(({ kind, message, hint }) => ({
    kind,
    message: cut(message, length),
    hint: hint && cut(hint, length),
  }));
}

/** Returns the error that a failure on the wire describes; an unknown kind becomes `refused`. */
export function errorFromWire({ kind, message, ...facts }: WireError): BargeError {
  return new BargeError(isKind(kind) ? kind : "refused", message, facts);
}

function cut(text: string, length: number): string {
  return text.slice(0, length).toWellFormed();
}
