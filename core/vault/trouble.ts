/** Failures of the disk below the data directory. */
import { BargeError, type ErrorFacts, typed } from "../error.ts";

/**
 * Types a failure of the system, as `typed` does, but for one: where the system does not let this
 * process at its own files (they are root's, the disk is read-only), that is the server's trouble, and
 * no refusal (`denied`) of what somebody asked for.
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
