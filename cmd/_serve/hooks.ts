/** The programs of the operator that `barge serve` runs. */
import { BargeError } from "../../core/error.ts";
import type { HookOptions } from "../../core/serve/hooks/hook_programs.ts";
import { split } from "../_shell/words.ts";
import { marked, value, valueOr, type ValuesOf } from "../_term/command.ts";
import { count, valueParser } from "../_term/value.ts";

/** The longest time of a check, in seconds: clients of BARGE/1 wait a minute for an answer. */
const maxCheckSeconds = 50;

export const hookOptions = {
  checkUpload: value(
    commandLine(),
    "Run this program before an upload becomes a file, with the same object: exit code 0 accepts " +
      "the upload, any other refuses it, and its sender gets the program's standard error",
  ),
  ...marked({
    hookTimeout: valueOr(
      count("SECONDS", 1, 3600),
      30,
      "The time after which either program is killed; a check's includes its wait for a turn. The " +
        `sender of a killed check must try again. With --check-upload at most ${maxCheckSeconds}. Default: 30`,
    ),
    hookJobs: valueOr(count("N", 1, 256), 4, "The most runs of each program at once. Default: 4"),
  }, { needs: ["checkUpload", "onCommit"] }),
};

/**
 * Returns the check of the options; undefined without one.
 *
 * @throws {BargeError} `usage` for a check that takes longer than clients wait
 */
export function hooksOf(options: ValuesOf<typeof hookOptions>): HookOptions | undefined {
  const { checkUpload, hookTimeout, hookJobs } = options;
  if (checkUpload === undefined) return undefined;
  if (hookTimeout > maxCheckSeconds) {
    throw new BargeError("usage", `a check may take ${maxCheckSeconds} seconds at most`, {
      op: "--hook-timeout",
      hint: "clients give up after a minute without an answer; look at large files in --on-commit",
    });
  }
  return { checkUpload: wordsOf(checkUpload)!, timeout: hookTimeout * 1000, jobs: hookJobs };
}

/**
 * Splits a command line into words at spaces outside quotes. Other features of shells are refused.
 *
 * @returns undefined for a line without words, and for one that needs a shell
 *
 * @example
 * ```ts
 * import { wordsOf } from "./hooks.ts";
 * if (wordsOf("scan --for 'two words'")?.join("|") !== "scan|--for|two words") throw new Error();
 * if (wordsOf("jq . >> log") || wordsOf("echo $HOME") || wordsOf("'open")) throw new Error();
 * ```
 */
export function wordsOf(line: string): string[] | undefined {
  try {
    const words = split(line);
    // Characters outside quotes that only a shell understands.
    const unquoted = words.map(({ raw }) => raw.replace(/\\.|'[^']*'|"(?:\\.|[^"\\])*"/gs, ""));
    if (words.length === 0 || words[0].text === "") return undefined;
    return unquoted.some((raw) => /[|&;<>()$`\n]/.test(raw)) ? undefined : words.map((w) => w.text);
  } catch {
    return undefined; // a quote is left open
  }
}

/**
 * Quotes a program and its arguments for {@link wordsOf} and for a shell.
 *
 * @example
 * ```ts
 * import { lineOf, wordsOf } from "./hooks.ts";
 * const words = ["sh", "-c", "cat > '$1'", "", "\\"];
 * if (wordsOf(lineOf(words))?.join("|") !== words.join("|")) throw new Error(lineOf(words));
 * ```
 */
export function lineOf(words: readonly string[]): string {
  const plain = /^[\w@%+=:,./-]+$/;
  return words.map((word) => plain.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
    .join(" ");
}

export function commandLine() {
  const read = (text: string) => wordsOf(text) && text;
  const wanted = "a program and its arguments; no shell reads it, for one write sh -c '...'";
  return valueParser("CMD", read, wanted);
}
