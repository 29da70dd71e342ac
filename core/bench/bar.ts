/** Bars of text. */

/**
 * Draws a bar in eighths of a column. A value above 0 gets an eighth at least.
 *
 * @example
 * ```ts
 * import { barOf } from "./bar.ts";
 * if (barOf(1.5) !== "█▌" || barOf(0.001) !== "▏" || barOf(0) !== "") throw new Error();
 * ```
 */
export function barOf(columns: number): string {
  const eighths = Math.round(columns * 8);
  if (columns > 0 && eighths === 0) return "▏";
  return "█".repeat(eighths >> 3) + ["", ..."▏▎▍▌▋▊▉"][eighths & 7];
}
