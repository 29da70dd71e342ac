/** Writes numbers with their nouns. */

/**
 * Formats a number and its noun.
 *
 * @param nouns the plural, where it is not the noun and an s
 *
 * @example
 * ```ts
 * import { counted } from "./counted.ts";
 * if (counted(1, "byte") !== "1 byte" || counted(1200, "byte") !== "1200 bytes") throw new Error();
 * if (counted(0, "entry", "entries") !== "0 entries") throw new Error();
 * ```
 */
export function counted(n: number, noun: string, nouns?: string): string {
  return `${n} ${inNumber(n, noun, nouns)}`;
}

/**
 * Returns the singular or plural form of a word.
 *
 * @param plural where it is not the singular and an s
 *
 * @example
 * ```ts
 * import { inNumber } from "./counted.ts";
 * if (inNumber(1, "is", "are") !== "is" || inNumber(0, "file") !== "files") throw new Error();
 * ```
 */
export function inNumber(n: number, singular: string, plural = `${singular}s`): string {
  return n === 1 ? singular : plural;
}
