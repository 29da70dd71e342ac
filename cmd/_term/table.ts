/** Rows of text in columns. */
import { printLine } from "./out.ts";

/**
 * Returns a time as tables show it: ISO 8601 with the zone, to the minute; "never" for null.
 *
 * @param time in ms since 1970, or a time in RFC 3339
 *
 * @example
 * ```ts
 * import { minute } from "./table.ts";
 * if (minute("2026-11-30T08:15:30.123Z") !== "2026-11-30T08:15Z") throw new Error();
 * ```
 */
export function minute(time: number | string | null): string {
  return time === null ? "never" : `${new Date(time).toISOString().slice(0, 16)}Z`;
}

/** Lines rows up in columns, two spaces apart. @param right the columns to align to the right */
export function table(rows: readonly (readonly string[])[], right: readonly number[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  }
  return rows.map((row) =>
    row.map((cell, i) => right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))
      .join("  ").trimEnd()
  );
}

export function printTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): void {
  for (const line of table([heading, ...rows], right)) printLine(line);
}
