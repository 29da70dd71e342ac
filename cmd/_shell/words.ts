/**
 * From a line that was typed to its words, as shells have it: spaces part them, unless they are
 * inside "..." or '...' or behind a backslash. Pure; the completion reads unfinished lines with it.
 */
import { BargeError } from "../../core/error.ts";

export interface Word {
  /** What it means. */
  readonly text: string;
  /** How it was typed. */
  readonly raw: string;
  /** The quote that the line's end leaves open, or the backslash that nothing follows. */
  readonly open: "" | '"' | "'" | "\\";
}

/**
 * The words of a line, finished or not.
 *
 * @param line without its end
 *
 * @example
 * ```ts
 * import { scan } from "./words.ts";
 * const [get, name] = scan('get "my fi');
 * if (get.text !== "get" || name.text !== "my fi" || name.open !== '"') throw new Error();
 * ```
 */
export function scan(line: string): Word[] {
  const words: Word[] = [];
  let start = -1;
  let text = "";
  let open: Word["open"] = "";
  for (let at = 0; at < line.length; at++) {
    const c = line[at];
    if (open === "" && (c === " " || c === "\t")) {
      if (start >= 0) words.push({ text, raw: line.slice(start, at), open });
      start = -1;
      text = "";
      continue;
    }
    if (start < 0) start = at;
    if (open === "\\") {
      text += c;
      open = "";
    } else if (open === "" && (c === '"' || c === "'" || c === "\\")) open = c;
    else if (c === open) open = "";
    else if (open === '"' && c === "\\" && /["\\]/.test(line[at + 1] ?? "")) text += line[++at];
    else text += c;
  }
  if (start >= 0) words.push({ text, raw: line.slice(start), open });
  return words;
}

/**
 * The words of a whole line.
 *
 * @throws {BargeError} `usage` when a quote is left open
 */
export function split(line: string): Word[] {
  const words = scan(line);
  const open = words.at(-1)?.open;
  if (!open) return words;
  const what = open === "\\" ? "nothing follows the last \\" : `a ${open} is never closed`;
  throw new BargeError("usage", what, {
    hint: `write a name with spaces as "my file" or my\\ file, a quote as \\${
      open === "\\" ? '"' : open
    }`,
  });
}

/**
 * Writes more text behind what was typed of a word, so that it reads as that text.
 *
 * @param open the quote that the typed part leaves open
 *
 * @example
 * ```ts
 * import { quoteRest, scan } from "./words.ts";
 * if (quoteRest('y "x"', "") !== 'y\\ \\"x\\"') throw new Error();
 * if (scan(`"m${quoteRest('y "x"', '"')}"`)[0].text !== 'my "x"') throw new Error();
 * ```
 */
export function quoteRest(text: string, open: Word["open"]): string {
  if (open === '"') return text.replace(/["\\]/g, "\\$&");
  if (open === "'") return text.replace(/'/g, `'\\''`);
  return text.replace(/[\s"'\\]/g, "\\$&");
}

/** Writes a word so that it is read as this text again. */
export function quote(text: string): string {
  if (text === "") return '""';
  const plain = quoteRest(text, "");
  return /^[#-]/.test(plain) ? `\\${plain}` : plain;
}
