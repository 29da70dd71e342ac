/** Text in the columns of a terminal, where Chinese characters and punctuation take two. */

const wideCharacter =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;

/**
 * Returns the number of columns that a text takes.
 *
 * @example
 * ```ts
 * import { columnsOf } from "./display_width.ts";
 * if (columnsOf("t1") !== 2 || columnsOf("客人-1") !== 6) throw new Error();
 * ```
 */
export function columnsOf(text: string): number {
  return Array.from(text).reduce((sum, each) => sum + (wideCharacter.test(each) ? 2 : 1), 0);
}

/** Pads text with spaces to a number of columns. */
export function padColumns(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - columnsOf(text)));
}

/**
 * Joins parts to lines of at most `columns`. A wider part gets a line of its own.
 *
 * @example
 * ```ts
 * import { wrapParts } from "./display_width.ts";
 * if (wrapParts(["a b", "c", "d"], "  ", 6).join("|") !== "a b  c|d") throw new Error();
 * ```
 */
export function wrapParts(parts: readonly string[], separator: string, columns: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const joined = last === undefined ? part : last + separator + part;
    if (last !== undefined && columnsOf(joined) <= columns) lines[lines.length - 1] = joined;
    else lines.push(part);
  }
  return lines;
}

/** Breaks a sentence into lines: at spaces, and between Chinese characters. */
export function wrapText(text: string, columns: number): string[] {
  const pieces = text.match(
    /[\u2e80-\u9fff\uff00-\uffef][，。；：、！？）]*|[^\s\u2e80-\u9fff\uff00-\uffef]+[，。；：、！？）]*|\s+/g,
  ) ?? [];
  const lines = [""];
  for (const piece of pieces) {
    const joined = lines.at(-1)! + piece;
    if (columnsOf(joined) <= columns) lines[lines.length - 1] = joined;
    else lines.push(piece.trimStart());
  }
  return lines.map((line) => line.trimEnd());
}
