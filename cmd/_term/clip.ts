/** Shortens text to a line. */

/**
 * Shortens text to a number of columns, in its middle, where names differ least. Wide characters
 * (CJK, emoji) count as two columns.
 */
export function clip(text: string, columns: number): string {
  segmenter ??= new Intl.Segmenter();
  const letters = Array.from(segmenter.segment(text), ({ segment }) => segment);
  if (letters.reduce((sum, letter) => sum + width(letter), 0) <= columns) return text;
  const half = Math.max(0, columns - 1) / 2;
  const head = take(letters, Math.floor(half));
  const tail = take(letters.toReversed(), Math.ceil(half)).toReversed();
  return columns < 1 ? "" : [...head, "…", ...tail].join("");
}

/** Made at its first use, which takes 20 ms. */
let segmenter: Intl.Segmenter | undefined;

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|\ufe0f|[\u{20000}-\u{3fffd}]/u;

function width(letter: string): number {
  return wide.test(letter) ? 2 : 1;
}

function take(letters: readonly string[], columns: number): string[] {
  let room = columns;
  const end = letters.findIndex((letter) => (room -= width(letter)) < 0);
  return letters.slice(0, end < 0 ? letters.length : end);
}
