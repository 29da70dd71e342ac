/** Finds known words that are similar to a mistyped one. */

/** The most suggestions that are shown. */
const maxSuggestions = 3;

/**
 * Returns the known words that are most similar to a word, best first. At most a third of the
 * letters may be missing, added, changed or swapped with the next one.
 */
export function similar(word: string, known: readonly string[]): string[] {
  const letters = word.replace(/^-+/, "").length;
  const maxDistance = Math.max(1, Math.floor(letters / 3));
  return known
    .map((name) => ({ name, distance: distance(word.toLowerCase(), name.toLowerCase()) }))
    .filter((entry) => entry.distance <= maxDistance && entry.distance < entry.name.length)
    .sort((a, b) => a.distance - b.distance)
    .filter((entry, _, [best]) => entry.distance <= best.distance)
    .slice(0, maxSuggestions)
    .map(({ name }) => name);
}

/**
 * Returns a hint that names the known words that are similar to a word.
 *
 * @param otherwise the hint if there are none
 * @param show formats a known word
 */
export function didYouMean(
  word: string,
  known: readonly string[],
  otherwise: string,
  show = (name: string) => name,
): string {
  const near = similar(word, known).map(show);
  return near.length > 0 ? suggestion(near) : otherwise;
}

/** Returns the hint that names these words. */
export function suggestion(near: readonly string[]): string {
  return `did you mean ${near.join(" or ")}?`;
}

/**
 * Returns the number of letters to insert, remove, change, or swap with a neighbor (optimal string
 * alignment).
 */
function distance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, change);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length];
}
