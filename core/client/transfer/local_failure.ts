/** Names the local file or folder in the failure of an operation on it, so that it is not taken for the server's. */
import { BargeError, typed } from "../../error.ts";

/** An operation on a local file or folder. */
export type LocalOperation = "read" | "write" | "make" | "remove";

/**
 * Returns the failure of an operation on a local name: `read report.pdf: permission denied`. A BargeError is returned as
 * it is.
 *
 * @throws {TypeError | RangeError} the cause itself, which is a bug
 */
export function localFailure(op: LocalOperation, path: string, cause: unknown): BargeError {
  return cause instanceof BargeError ? cause : typed(cause, { op, path });
}

/**
 * Returns the result of a function that uses a local name.
 *
 * @throws {BargeError} its failure, as {@link localFailure} names it
 *
 * @example
 * ```ts
 * import { onLocal } from "./local_failure.ts";
 * let message = "";
 * try {
 *   onLocal("read", "/no/such/file", () => Deno.readTextFileSync("/no/such/file"));
 * } catch (error) {
 *   message = String(error);
 * }
 * if (message !== "read /no/such/file: no such file or directory") throw new Error(message);
 * ```
 */
export function onLocal<T>(op: LocalOperation, path: string, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    throw localFailure(op, path, cause);
  }
}
