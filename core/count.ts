/**
 * Writes a count with its noun.
 *
 * @param nouns the plural, where it is not the noun and an s
 *
 * @example
 * ```ts
 * import { count } from "./count.ts";
 * if (count(1, "byte") !== "1 byte" || count(1200, "byte") !== "1200 bytes") throw new Error();
 * if (count(0, "entry", "entries") !== "0 entries") throw new Error();
 * ```
 */
export function count(n: number, noun: string, nouns = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : nouns}`;
}
