/** What a program wrote to standard error, as it can be shown to strangers. */

/** At most so many lines, and so many characters in all. */
const mostLines = 3;
const mostCharacters = 300;

// deno-lint-ignore no-control-regex
const sequences = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)/g;
// deno-lint-ignore no-control-regex
const controls = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/**
 * The first lines of it, as one: without control characters, escape sequences and marks of the
 * direction of writing, so that a terminal shows what it says.
 *
 * @returns "" where it says nothing
 *
 * @example
 * ```ts
 * import { firstLines } from "./program_output.ts";
 * const said = firstLines("\n\x1b[31mEicar FOUND\x1b[0m\r\nin\ta\0b\n");
 * if (said !== "Eicar FOUND; in a b") throw new Error(said);
 * ```
 */
export function firstLines(said: string): string {
  const lines = said.replace(sequences, "").split(/[\r\n\v\f\x85\u2028\u2029]+/)
    .map((line) => line.replace(controls, " ").trim())
    .filter(Boolean).slice(0, mostLines);
  const text = lines.join("; ").toWellFormed();
  if (text.length <= mostCharacters) return text;
  return text.slice(0, mostCharacters - 1).toWellFormed() + "…";
}
