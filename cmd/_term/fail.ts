/**
 * Reports failures and ends the program. No other module ends it on a failure.
 *
 *   barge: put /home/x: needs 5 bytes, 3 are left
 *   (remove something, use `barge grow SIZE`, or ask the operator)
 */
import { type BargeError, trace, typed } from "../../core/error.ts";
import { exitCodes, otherCode } from "./exit.ts";
import { finish, note, writeError } from "./out.ts";
import { isLikeAddress } from "./server_address.ts";
import { printable } from "../../core/protocol/printable.ts";

/** Reports a failure on standard error. @returns its exit code */
export function report(cause: unknown, options: { verb?: string; debug: boolean }): number {
  const error = asBargeError(cause, options.verb);
  if (error === undefined) {
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    note(`barge: ${options.verb ?? ""}${options.verb ? ": " : ""}a bug in barge: ${why}`);
    note("(please report it with the output of --debug)");
  } else {
    note(`barge: ${error}`);
    const hint = hintOf(error);
    if (hint) note(`(${hint})`);
  }
  if (options.debug) writeError(`${trace(cause).split("\n").map(printable).join("\n")}\n`);
  return error === undefined ? otherCode : exitCodes[error.kind];
}

/** Returns the hint of a failure, with the commands of this program that help. */
export function hintOf({ kind, hint }: BargeError): string | undefined {
  const isFull = kind === "over-quota" && hint?.endsWith("ask for more room");
  return isFull ? "remove something, use `barge grow SIZE`, or ask the operator" : hint;
}

/** Returns the exit code of a failure, and its message. */
export function failureOf(cause: unknown, verb: string): { code: number; message: string } {
  const error = asBargeError(cause, verb);
  if (error) return { code: exitCodes[error.kind], message: `barge: ${error}` };
  return { code: otherCode, message: `barge: ${verb}: a bug in barge: ${String(cause)}` };
}

/** Ends the program once all output is written. */
export async function exit(code: number): Promise<never> {
  const outcome = await finish();
  // A reader that closes the output interrupts the program, which is not a success.
  if (outcome === "gone") Deno.exit(exitCodes.interrupted);
  if (outcome === undefined) Deno.exit(code);
  note(`barge: ${outcome}`);
  await finish();
  Deno.exit(exitCodes[outcome.kind]);
}

/** Returns a thrown value as a BargeError; undefined for a bug. */
function asBargeError(cause: unknown, verb?: string): BargeError | undefined {
  try {
    return withVerb(typed(cause, { op: verb }), verb);
  } catch {
    return undefined;
  }
}

/** Requests of the protocol that verbs of other names send. */
const requests =
  /^(get|list|stat|remove|move|copy|mkdir|digest|put-many|get-many|uploads|drop|token)$/;

/**
 * Returns a failure with the name of the called verb in place of the request's: a user of `ls` has
 * not called `stat`. Adds a hint where a name looks like a pattern, or begins with a server's address.
 */
export function withVerb(error: BargeError, verb: string | undefined): BargeError {
  const hint = error.hint ?? literalNames(error) ?? serverInPath(error);
  if (!verb || error.op === verb || !requests.test(error.op ?? "")) return error.with({ hint });
  return error.replacing({ op: verb, hint });
}

/** Returns the hint for a missing name that looks like a pattern. */
function literalNames({ kind, path }: BargeError): string | undefined {
  if (kind !== "not-found" || !path?.startsWith("/") || !/[*?[]/.test(path)) return undefined;
  return "* and ? have no special meaning in names at the server";
}

/** Returns the hint for a remote path that begins with a server's address, as that of `scp` does. */
function serverInPath({ kind, message, path = "" }: BargeError): string | undefined {
  const isRefused = kind === "usage" && message.startsWith("a remote path begins with");
  if (!isRefused || !isLikeAddress(path)) return undefined;
  return "name the server with --server, and only its path here";
}
