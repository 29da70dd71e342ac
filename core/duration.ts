/** Durations: units in ms, and their text. */

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

const units = [["d", dayMs], ["h", hourMs], ["min", 60_000], ["s", 1000]] as const;

/**
 * Formats a duration in its two largest units, without the rest.
 *
 * @param ms milliseconds; less than a second is `0 s`
 *
 * @example
 * ```ts
 * import { formatDuration } from "./duration.ts";
 * if (formatDuration(59_600) !== "59 s" || formatDuration(7_500_000) !== "2 h 5 min") throw new Error();
 * if (formatDuration(90_061_000) !== "1 d 1 h" || formatDuration(-1) !== "0 s") throw new Error();
 * ```
 */
export function formatDuration(ms: number): string {
  const first = units.findIndex(([, length]) => ms >= length);
  if (first === -1) return "0 s";
  let rest = ms;
  const parts: string[] = [];
  for (const [name, length] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(" ");
}
