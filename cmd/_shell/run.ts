/** Runs a line of the shell, and reports its failure. */
import { BargeError } from "../../core/error.ts";
import { report } from "../_term/fail.ts";
import { flush, keepUp } from "../_term/out.ts";
import { didYouMean } from "../_term/similar.ts";
import { findRow, readArguments, type Row, type Shell } from "./command.ts";
import { split, type Word } from "./words.ts";

export interface Outcome {
  readonly code: number;
  readonly leave: boolean;
}

/**
 * Runs a line. Empty lines and lines that start with # do nothing.
 *
 * @param signal stops it by cutting the connection
 */
export async function runLine(
  shell: Shell,
  rows: readonly Row[],
  line: string,
  signal: AbortSignal,
): Promise<Outcome> {
  let verb: string | undefined;
  try {
    if (/^\s*(#|$)/.test(line)) return { code: 0, leave: false };
    const [first, ...rest] = isLocal(line) ? [word("!"), word(line.trim().slice(1))] : split(line);
    const row = findRow(rows, first.text);
    if (!row) throw unknownCommand(first.text, rows);
    verb = row.name;
    const { args, flags } = readArguments(row, rest);
    signal.throwIfAborted();
    const code = await row.run({ shell, args, flags, signal, rows });
    return { code: code ?? 0, leave: row.leaves ?? false };
  } catch (error) {
    return { code: report(error, { verb, debug: shell.debug }), leave: false };
  } finally {
    flush();
    await keepUp(signal)?.catch(() => {/* the signal ends the shell */});
  }
}

function isLocal(line: string): boolean {
  return line.trimStart().startsWith("!");
}

/** Returns a quoted word, which is never a flag. */
function word(text: string): Word {
  return { text, raw: `"${text}"`, open: "" };
}

/** The failure of a word that names no command. */
export function unknownCommand(name: string, rows: readonly Row[]): BargeError {
  const known = rows.flatMap((row) => [row.name, ...row.aliases ?? []]);
  const hint = didYouMean(name, known, "`help` lists them");
  return new BargeError("usage", "there is no such command", { path: name, hint });
}
