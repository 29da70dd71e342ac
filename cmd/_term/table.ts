/** Rows of text in columns. */
import { printLine } from "./out.ts";

/** Returns a time as tables show it, to the minute; "never" for null. */
export function minute(time: number | string | null): string {
  return time === null ? "never" : new Date(time).toISOString().slice(0, 16).replace("T", " ");
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
