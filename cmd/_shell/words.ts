/**
 * Splits lines into words at spaces, and quotes words. As in other shells, quotes and backslashes
 * keep spaces in words. Completion reads unfinished lines with {@link scan}.
 */
import { BargeError } from "../../core/error.ts";

export interface Word {
  /** The text that it stands for. */
  readonly text: string;
  /** The text as typed. */
  readonly raw: string;
  /** The quote, or backslash, that is still open at the end of the line. */
  readonly open: "" | '"' | "'" | "\\";
}

/** Returns the words of a line, which may be unfinished. @param line without its line end */
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

/** Returns the words of a complete line. @throws {BargeError} `usage` when a quote is left open */
export function split(line: string): Word[] {
  const words = scan(line);
  const open = words.at(-1)?.open;
  if (!open) return words;
  const why = open === "\\" ? "nothing follows the last \\" : `a ${open} is never closed`;
  throw new BargeError("usage", why, {
    hint: `write a name with spaces as "my file" or my\\ file, a quote as \\${
      open === "\\" ? '"' : open
    }`,
  });
}

/** Quotes text so that it continues a word. @param open the quote that is open in the word */
export function quoteRest(text: string, open: Word["open"]): string {
  if (open === '"') return text.replace(/["\\]/g, "\\$&");
  if (open === "'") return text.replace(/'/g, `'\\''`);
  return text.replace(/[\s"'\\]/g, "\\$&");
}

/** Quotes a text as one word. */
export function quote(text: string): string {
  if (text === "") return '""';
  const escaped = quoteRest(text, "");
  return /^[#-]/.test(escaped) ? `\\${escaped}` : escaped;
}
