/** Matches patterns of names. */

/** Returns whether a path's last part contains `*`, `?` or `[`. */
export function isPattern(path: string): boolean {
  return /[*?[][^/]*$/.test(path);
}

/**
 * Returns whether a name matches a pattern of shells: `*`, `?`, `[a-z]`, `[!a]`. A dot at the start of a
 * name matches only a dot of the pattern. The time is bounded by the product of both lengths.
 *
 * @example
 * ```ts
 * import { matches } from "./pattern.ts";
 * if (!matches("*.t?t", "a.txt") || matches("*", ".hidden") || !matches("[!b-z]*", "a")) throw new Error();
 * if (matches("*a".repeat(100), "a".repeat(99))) throw new Error();
 * ```
 */
export function matches(pattern: string, name: string): boolean {
  const tokens = Array.from(pattern.matchAll(/\[!?\]?[^\]]*\]|[^]/gu), ([token]) => token);
  const letters = Array.from(name);
  if (letters[0] === "." && tokens[0] !== ".") return false;
  // The position of the last star, and the letter after its match. On a mismatch the star matches one
  // letter more.
  let [star, after] = [-1, 0];
  let t = 0;
  for (let l = 0; l < letters.length;) {
    if (tokens[t] === "*") {
      [star, after] = [t++, l];
    } else if (t < tokens.length && matchesOne(tokens[t], letters[l])) {
      t++;
      l++;
    } else if (star !== -1) {
      t = star + 1;
      l = ++after;
    } else {
      return false;
    }
  }
  while (tokens[t] === "*") t++;
  return t === tokens.length;
}

function matchesOne(token: string, letter: string): boolean {
  if (token === "?") return true;
  if (token.length < 3 || token[0] !== "[") return token === letter;
  const not = token[1] === "!";
  const ranges = token.slice(not ? 2 : 1, -1).matchAll(/([^])(?:-([^]))?/gu);
  return ranges.some(([, from, to = from]) => from <= letter && letter <= to) !== not;
}
