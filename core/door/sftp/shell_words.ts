/**
 * Splits a command line into words as a POSIX shell does (IEEE 1003.1, 2.2, 2.6.1 and 2.6.5):
 * quotes, backslashes and tildes. It has no variables, and runs no command.
 *
 * @param home returns the path for an unquoted `~` or `~NAME` at the start of a word
 * @returns an empty list for a line with an open quote
 * @throws the failure of `home`
 *
 * @example
 * ```ts
 * import { splitWords } from "./shell_words.ts";
 * const [scp, flag, path] = splitWords(String.raw`scp  -t 'my file'\ "\"2\".txt"`);
 * if (scp !== "scp" || flag !== "-t" || path !== 'my file "2".txt') throw new Error(path);
 * const [a, b] = splitWords("~/a '~/b'", () => "/home");
 * if (a !== "/home/a" || b !== "~/b") throw new Error();
 * ```
 */
export function splitWords(
  line: string,
  home: (tilde: string) => string = (tilde) => tilde,
): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const char = line[at];
    if (/[ \t\n]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    const [tilde] = word === undefined && /^~[^/\s]*/.exec(line.slice(at)) || [];
    word ??= "";
    if (tilde !== undefined && !/["'\\]/.test(tilde)) {
      word += home(tilde);
      at += tilde.length - 1;
    } else if (char === "\\") {
      word += line[++at] ?? "";
    } else if (char === "'" || char === '"') {
      const quoted = unquote(line, at);
      if (!quoted) return [];
      word += quoted.text;
      at = quoted.end;
    } else {
      word += char;
    }
  }
  return word === undefined ? words : [...words, word];
}

/** Returns the text in the quotes that open at `start`, and their end; undefined if they stay open. */
function unquote(line: string, start: number): { text: string; end: number } | undefined {
  const quote = line[start];
  let text = "";
  for (let at = start + 1; at < line.length; at++) {
    if (line[at] === quote) return { text, end: at };
    const escapes = quote === '"' && line[at] === "\\" && /["\\$`]/.test(line[at + 1] ?? "");
    text += escapes ? line[++at] : line[at];
  }
  return undefined;
}
