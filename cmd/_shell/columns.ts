/** Lays names out in columns, as `ls` does on a terminal. */
import { clip } from "../_term/clip.ts";

/**
 * Returns the lines of as many columns as fit, read downwards.
 *
 * @param width of the terminal, in columns
 *
 * @example
 * ```ts
 * import { columns } from "./columns.ts";
 * const lines = columns(["a", "bb", "c", "d", "e"], 8);
 * if (lines.join("|") !== "a   d|bb  e|c") throw new Error(lines.join("|"));
 * ```
 */
export function columns(names: readonly string[], width: number): string[] {
  const widths = names.map(widthOf);
  const gap = 2;
  const widest = Math.max(0, ...widths);
  const count = Math.max(1, Math.floor((width + gap) / (widest + gap)));
  const height = Math.ceil(names.length / count);
  return Array.from({ length: height }, (_, row) => {
    let line = "";
    for (let at = row; at < names.length; at += height) {
      const last = at + height >= names.length;
      line += names[at] + (last ? "" : " ".repeat(widest - widths[at] + gap));
    }
    return line;
  });
}

/** Returns the columns of a name, searched with {@link clip}, which knows wide characters. */
function widthOf(name: string): number {
  if (/^[\x20-\x7e]*$/.test(name)) return name.length;
  let low = 0;
  let high = name.length * 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (clip(name, middle) === name) high = middle;
    else low = middle + 1;
  }
  return low;
}
