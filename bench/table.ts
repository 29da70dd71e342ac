/** Medians and Markdown tables. */

/** `median (min to max)`, in the unit given. */
export function spread(values: readonly number[], unit: string, digits = 2): string {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const text = (value: number) => value.toFixed(digits);
  return `${text(median)} ${unit} (${text(sorted[0])} to ${text(sorted.at(-1)!)})`;
}

/** Rows as a Markdown table under a title. */
export function table(title: string, head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [`### ${title}`, "", line(head), line(head.map(() => "---")), ...rows.map(line)].join(
    "\n",
  );
}
