/** Failures of the disk below the data directory. */
import { BargeError, type ErrorFacts, typed } from "../../error.ts";

/**
 * Types a failure of the system as `typed` does, with one exception. Where the system denies this
 * process its own files (root owns them, the disk is read-only), the fault is the server's, and not
 * a refusal (`denied`) of the client's request.
 *
 * @returns `io` in place of the system's `denied`; a BargeError only gains the facts that it lacks
 */
export function diskError(cause: unknown, facts: ErrorFacts = {}): BargeError {
  const error = typed(cause, facts);
  const link = cause instanceof Deno.errors.FilesystemLoop;
  if (cause instanceof BargeError || error.kind !== "denied" || link) return error;
  return new BargeError("io", `barge may not use its own files: ${error.message}`, {
    hint: "give the data directory, and all in it, to the user whom the server runs as",
    ...facts,
    cause,
  });
}
