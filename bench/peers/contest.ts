/** A contest: several entries do the same work in turn, in several rounds; and its table. */
import type { ContestOptions } from "./options.ts";

/** The result of one run of an entry. */
export interface Sample {
  /** In the unit of the contest. */
  readonly value: number;
  /** Further numbers by name, without a ratio. `failed`: failed parts of the work. */
  readonly more?: Readonly<Record<string, number>>;
}

export interface Entry {
  readonly name: string;
  /** `ours` is compared with peers; a floor is a limit and no peer. */
  readonly kind: "ours" | "peer" | "floor";
  /** @param round from 0 */
  run(round: number): Promise<Sample>;
}

export interface Contest {
  readonly title: string;
  readonly unit: string;
  readonly digits?: number;
  readonly better: "less" | "more";
  readonly entries: readonly (Entry | undefined)[];
  /** Columns after the ratios: names in {@link Sample.more}. */
  readonly columns?: readonly string[];
  /** The names of entries that the others are compared with. Default: the best peer. */
  readonly bases?: readonly string[];
  /** A lower number of rounds. */
  readonly rounds?: number;
}

/** The samples of an entry, which runs no more after a failure. */
export interface Row {
  readonly name: string;
  readonly kind: Entry["kind"];
  readonly samples: readonly Sample[];
  readonly failed?: string;
}

export interface Outcome extends Omit<Contest, "entries" | "columns" | "rounds"> {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** Runs the contests of a part one after another, and prints the table of each. */
export async function runContests(
  contests: AsyncIterable<Contest> | Iterable<Contest>,
  maxRounds: number,
  { report, print }: Pick<ContestOptions, "report" | "print">,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for await (const contest of contests) {
    const outcome = await runContest(contest, maxRounds, report);
    outcomes.push(outcome);
    print("\n" + outcomeTable(outcome));
  }
  return outcomes;
}

/**
 * Runs all entries once in each round, so that a disturbance of the machine affects all of them.
 * Each round begins with another entry, so that none always runs after the same one.
 */
export async function runContest(
  { entries, columns = [], rounds, ...contest }: Contest,
  maxRounds: number,
  report: (text: string) => void,
): Promise<Outcome> {
  const rows = entries.filter((entry) => entry !== undefined).map((entry) => ({
    entry,
    samples: [] as Sample[],
    failed: undefined as string | undefined,
  }));
  for (let round = 0; round < Math.min(maxRounds, rounds ?? maxRounds); round++) {
    for (let i = 0; i < rows.length; i++) {
      const row = rows[(i + round) % rows.length];
      if (row.failed !== undefined) continue;
      report(`${contest.title}, round ${round + 1}: ${row.entry.name}`);
      try {
        row.samples.push(await withTimeout(row.entry.run(round)));
      } catch (error) {
        row.failed = (error as Error).message.trim().split("\n")[0].slice(0, 120);
      }
    }
  }
  const { digits } = contest;
  return {
    ...contest,
    digits,
    columns,
    rows: rows.map(({ entry, samples, failed }) => ({
      name: entry.name,
      kind: entry.kind,
      samples,
      failed,
    })),
  };
}

/** @throws {Error} when it takes longer than a quarter of an hour */
async function withTimeout<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("takes too long")), 900_000);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Returns the outcome as Markdown: ours, then peers from the best to the worst, then floors. */
export function outcomeTable(outcome: Outcome): string {
  const { title, unit, better, columns, rows } = outcome;
  const bases = basesOf(outcome);
  const head = [
    "",
    `median ${unit}`,
    "min to max",
    ...bases.map(({ name }) => `of ${name}`),
    ...columns,
  ];
  const kinds = ["ours", "peer", "floor"];
  const sorted = [...rows].sort((a, b) =>
    kinds.indexOf(a.kind) - kinds.indexOf(b.kind) ||
    (a.kind === "ours" ? 0 : order(a, better) - order(b, better))
  );
  const lines = sorted.map((row) => cells(row, outcome, bases));
  const line = (texts: readonly string[]) => `| ${texts.join(" | ")} |`;
  const rule = line(head.map((_, i) => i === 0 ? "---" : "---:"));
  return [`### ${title}`, "", line(head), rule, ...lines.map(line)].join("\n");
}

/** A median that the medians of all entries are divided by; undefined where there is none. */
interface Base {
  readonly name: string;
  readonly value: number | undefined;
}

function basesOf(outcome: Outcome): Base[] {
  if (!outcome.bases) return [{ name: "the best peer", value: bestPeer(outcome) }];
  return outcome.bases.map((name) => {
    const values = outcome.rows.find((row) => row.name === name)?.samples.map(({ value }) => value);
    return { name, value: values?.length ? median(values) : undefined };
  });
}

function cells(row: Row, { digits = 2, columns }: Outcome, bases: readonly Base[]): string[] {
  const name = row.kind === "ours"
    ? `**${row.name}**`
    : row.kind === "floor"
    ? `*${row.name}*`
    : row.name;
  if (row.samples.length === 0) {
    return [
      name,
      `fails: ${row.failed}`,
      "",
      ...bases.map(() => ""),
      ...columns.map(() => ""),
    ];
  }
  const values = row.samples.map(({ value }) => value);
  const text = (value: number) => format(value, digits);
  return [
    name + (row.failed === undefined ? "" : ` (then fails: ${row.failed})`),
    text(median(values)),
    `${text(Math.min(...values))} to ${text(Math.max(...values))}`,
    ...bases.map(({ value }) =>
      value === undefined ? "" : `${(median(values) / value).toFixed(2)}`
    ),
    ...columns.map((column) => {
      const extras = row.samples.flatMap(({ more }) => more?.[column] ?? []);
      return extras.length === 0 ? "" : format(median(extras), Math.max(...extras) < 10 ? 2 : 0);
    }),
  ];
}

/** Returns the best median of the peers without failures, if there is any. */
export function bestPeer({ rows, better }: Outcome): number | undefined {
  const medians = rows.filter(({ kind, samples }) =>
    kind === "peer" && samples.length > 0 && samples.every(({ more }) => !more?.failed)
  )
    .map(({ samples }) => median(samples.map(({ value }) => value)));
  if (medians.length === 0) return undefined;
  return better === "less" ? Math.min(...medians) : Math.max(...medians);
}

function order({ samples }: Row, better: "less" | "more"): number {
  if (samples.length === 0) return Infinity;
  return median(samples.map(({ value }) => value)) * (better === "less" ? 1 : -1);
}

/** Returns the median: the middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function format(value: number, digits: number): string {
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
