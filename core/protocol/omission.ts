/** Describes the entries that a listing omits (`list` in PROTOCOL.md). */
import { counted } from "../counted.ts";
import type { Omission } from "./message.ts";

/**
 * @example
 * ```ts
 * import { describeOmission } from "./omission.ts";
 * const words = describeOmission({ unnamed: 2, special: 1, example: "d/caf\uFFFD" });
 * if (words !== "left out are 2 names that are not valid UTF-8 and 1 link or special file, such as d/caf\uFFFD") {
 *   throw new Error(words);
 * }
 * ```
 */
export function describeOmission({ unnamed, special, example }: Omission): string {
  const kinds = [
    unnamed > 0 &&
    counted(unnamed, "name that is not valid UTF-8", "names that are not valid UTF-8"),
    special > 0 && counted(special, "link or special file", "links or special files"),
  ].filter(Boolean);
  if (unnamed + special === 1) return `left out is ${kinds[0]}: ${example}`;
  return `left out are ${kinds.join(" and ")}, such as ${example}`;
}
