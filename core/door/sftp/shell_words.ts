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
  for (const { 0: token, index, groups } of line.matchAll(tokens)) {
    const { blank, escaped, single, double, plain } = groups!;
    if (blank !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (plain !== undefined) {
      const [tilde = ""] = word === undefined ? /^~[^/\s]*/.exec(plain) ?? [] : [];
      const next = line[index + token.length] ?? "";
      const quoted = tilde === plain && /["'\\]/.test(next);
      word = (word ?? "") + (tilde && !quoted ? home(tilde) : tilde) + plain.slice(tilde.length);
    } else {
      const text = escaped ?? single ?? double?.replace(/\\(["\\$`])/g, "$1");
      if (text === undefined) return [];
      word = (word ?? "") + text;
    }
  }
  return word === undefined ? words : [...words, word];
}

/** Blanks, an escaped or quoted text, plain text; else a quote that stays open. */
const tokens =
  /(?<blank>[ \t\n]+)|\\(?<escaped>[^]?)|'(?<single>[^']*)'|"(?<double>(?:\\[^]|[^"\\])*)"|(?<plain>[^ \t\n'"\\]+)|['"]/g;
