/** The options of `barge serve` for the operator's own programs. */
import { BargeError } from "../../core/error.ts";
import type { HookOptions } from "../../core/serve/hooks.ts";
import { split } from "../_shell/words.ts";
import { value, valueOr } from "../_term/options.ts";
import { count, valueParser } from "../_term/value.ts";

/** A client of BARGE/1 waits for an answer a minute, and no check may come close to that. */
const longestCheck = 50;

export const hookOptions = {
  onCommit: value(
    ["--on-commit"],
    commandLine(),
    "Run this program after each upload, with the facts as a JSON object on its standard input",
  ),
  checkUpload: value(
    ["--check-upload"],
    commandLine(),
    "Run this program before an upload becomes a file, with the same facts: exit code 0 accepts " +
      "it, any other refuses it, and its sender is shown what it wrote to standard error",
  ),
  hookTimeout: valueOr(
    ["--hook-timeout"],
    count("SECONDS", 1, 3600),
    30,
    "How long they may take, a check its wait for a turn included; then they are killed, and a " +
      `check's sender is told to try again. With --check-upload at most ${longestCheck}. Default: 30`,
  ),
  hookJobs: valueOr(
    ["--hook-jobs"],
    count("N", 1, 256),
    4,
    "How many of each may run at once. Default: 4",
  ),
};

interface Chosen {
  readonly onCommit: string | undefined;
  readonly checkUpload: string | undefined;
  readonly hookTimeout: number;
  readonly hookJobs: number;
}

/**
 * What the server is to run; undefined for nothing.
 *
 * @throws {BargeError} `usage` for a check that outlasts its clients
 */
export function hooksOf(options: Chosen): HookOptions | undefined {
  const { onCommit, checkUpload, hookTimeout, hookJobs } = options;
  if (onCommit === undefined && checkUpload === undefined) return undefined;
  if (checkUpload !== undefined && hookTimeout > longestCheck) {
    throw new BargeError("usage", `a check may take ${longestCheck} seconds at most`, {
      op: "--hook-timeout",
      hint: "clients give up after a minute without an answer; look at large files in --on-commit",
    });
  }
  return {
    onCommit: onCommit === undefined ? undefined : wordsOf(onCommit),
    checkUpload: checkUpload === undefined ? undefined : wordsOf(checkUpload),
    timeout: hookTimeout * 1000,
    jobs: hookJobs,
  };
}

/**
 * The program and the arguments that a command line stands for: words as a shell parts and quotes
 * them, and nothing else of a shell.
 *
 * @returns undefined for what is none, or asks for a shell
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
    // What a shell would act on, outside quotes. Nobody here would.
    const bare = words.map(({ raw }) => raw.replace(/\\.|'[^']*'|"(?:\\.|[^"\\])*"/gs, ""));
    if (words.length === 0 || words[0].text === "") return undefined;
    return bare.some((raw) => /[|&;<>()$`\n]/.test(raw)) ? undefined : words.map((w) => w.text);
  } catch {
    return undefined; // a quote is left open
  }
}

/**
 * Writes a program and its arguments as {@link wordsOf} reads them, and a shell.
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

function commandLine() {
  const read = (text: string) => wordsOf(text) && text;
  const wanted = "a program and its arguments; no shell reads it, for one write sh -c '...'";
  return valueParser("CMD", read, wanted);
}
