/** Names that doors may stumble over. */
import fc from "fast-check";

/** Names with characters that end lines, quotes or a terminal's patience, in all orders. */
export const awkwardNames: readonly string[] = (() => {
  const parts = ["\n", "\r", "\x1b[2J", '"', "\\", "\r\n226 done\r\n", "\nC0644 4 x", " ", "é"];
  const name = fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 4 });
  const fixed = ['a"b', "a\\b", "a\nb", "a\r\nb", "a\x1bb"];
  const drawn = fc.sample(name, { numRuns: 30, seed: 7 }).map((parts) => `n${parts.join("")}n`);
  return Array.from(new Set([...fixed, ...drawn]));
})();
