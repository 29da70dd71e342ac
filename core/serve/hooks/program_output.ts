/** Makes a program's standard error safe to send to clients. */

const maxLines = 3;
const maxCharacters = 300;

// deno-lint-ignore no-control-regex
const escapeSequences = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)/g;
/** Control characters and marks of text direction. */
// deno-lint-ignore no-control-regex
const controls = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/**
 * Returns the first lines of an output as one printable line, without control characters, escape
 * sequences and marks of text direction.
 *
 * @returns "" for an output without text
 *
 * @example
 * ```ts
 * import { firstLines } from "./program_output.ts";
 * const line = firstLines("\n\x1b[31mEicar FOUND\x1b[0m\r\nin\ta\0b\n");
 * if (line !== "Eicar FOUND; in a b") throw new Error(line);
 * ```
 */
export function firstLines(output: string): string {
  const lines = output.replace(escapeSequences, "").split(/[\r\n\v\f\x85\u2028\u2029]+/)
    .map((line) => line.replace(controls, " ").trim())
    .filter(Boolean).slice(0, maxLines);
  const text = lines.join("; ").toWellFormed();
  if (text.length <= maxCharacters) return text;
  return text.slice(0, maxCharacters - 1).toWellFormed() + "…";
}
