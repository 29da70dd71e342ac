/** The common part of `barge bench tcp`, `udp` and `http`: options, live view, output. */
import type { Target } from "../../core/bench/load_worker.ts";
import type { Progress } from "../../core/bench/load.ts";
import { figureNames, parseThreshold } from "../../core/bench/thresholds.ts";
import { BargeError } from "../../core/error.ts";
import { exitCodes } from "../_term/exit.ts";
import { type Common, flag, value, valueOr, values, type ValuesOf } from "../_term/command.ts";
import { note, print, printJson, StatusLine, terminal, terminalWidth } from "../_term/out.ts";
import { number } from "../_term/progress.ts";
import { table } from "../_term/table.ts";
import { count, path, valueParser } from "../_term/value.ts";

export const loadOptions = {
  duration: valueOr(seconds(), 10_000, "How long to measure: 10, 500ms, 2m. Default: 10 s", "-d"),
  requests: value(count("N", 1, 999_999_999), "Stop after N requests", "-n"),
  rate: value(
    count("N", 1, 10_000_000),
    "Requests a second, even when answers are late: a latency then counts from when its request " +
      "was due. Default: each connection sends the next request when the last one is answered",
  ),
  workers: valueOr(count("N", 1, 256), 1, "How many isolates send requests. Default: 1"),
  warmUp: valueOr(seconds(), 500, "How long to send requests before measuring. Default: 0.5"),
  timeout: valueOr(seconds(), 5000, "When to give up a request. Default: 5"),
  csv: flag("Print one row of comma-separated values under a heading"),
  failIf: values(
    threshold(),
    `End with exit code 1 if this holds: 'p99>5ms', 'errors>0'. Figures: ${figureNames.join(", ")}`,
  ),
  compare: value(path("FILE"), "Compare with an earlier result, saved with --json"),
};

/** The option for the number of connections. */
export function connectionsOption(fallback: number) {
  return valueOr(
    count("N", 1, 60_000),
    fallback,
    `How many connections. Default: ${fallback}`,
    "-c",
  );
}

export type LoadChoice = ValuesOf<typeof loadOptions> & Common & { readonly connections: number };

/** Runs a load and prints its result. @returns the exit code */
export async function runLoad(
  target: Target,
  address: string,
  choice: LoadChoice,
  signal: AbortSignal,
): Promise<number> {
  if (choice.json && choice.csv) {
    throw new BargeError("usage", "--json and --csv exclude each other");
  }
  const { load } = await import("../../core/bench/load.ts");
  const { comparison, csv, lines } = await import("../../core/bench/report.ts");
  const earlier = choice.compare === undefined
    ? undefined
    : await (await import("../../core/bench/result.ts")).readResult(choice.compare);
  // With -n and without -d, the number of requests ends the load.
  const untilAnswered = choice.requests !== undefined && choice.duration === 10_000;
  const duration = untilAnswered ? 3_600_000 : choice.duration;
  using status = terminal.stderr ? new StatusLine() : undefined;
  let before: Progress | undefined;
  const result = await load({
    ...choice,
    target,
    address,
    duration,
    signal,
    onProgress(progress) {
      status?.show(progressText(progress, before).slice(0, terminalWidth() - 1));
      before = progress;
    },
  });
  status?.hide();
  if (choice.json) printJson(result);
  else if (choice.csv) print(csv(result));
  else lines(result, Math.min(100, terminalWidth())).forEach(print);
  if (earlier) {
    const rows = [["", "then", "now", "now/then"], ...comparison(result, earlier)];
    const write = choice.json || choice.csv ? note : print;
    for (const line of table(rows, [1, 2, 3])) write(line);
  }
  if (result.interrupted) return exitCodes.interrupted;
  if (result.requests === 0) {
    throw new BargeError("unavailable", `no answer at all, ${result.errors} errors`);
  }
  const failed = choice.failIf.filter(({ holds }) => holds(result));
  for (const { text, value } of failed) note(`barge: bench: ${text}: it is ${value(result)}`);
  return failed.length > 0 ? exitCodes.io : 0;
}

/** Returns the text of the status line. @param before an earlier progress, for the rate since then */
function progressText({ elapsed, answers, errors, p99, max }: Progress, before?: Progress): string {
  if (elapsed === 0) return "warming up";
  const interval = elapsed - (before?.elapsed ?? 0);
  const rate = interval > 0 ? (answers - (before?.answers ?? 0)) / interval * 1000 : 0;
  return `${(elapsed / 1000).toFixed(1)} s  ${number(Math.max(0, Math.round(rate)))}/s` +
    `  p99 ${p99.toFixed(2)} ms  max ${max.toFixed(1)} ms  ${errors} errors`;
}

/** Parses a time into ms: `10`, `0.5s`, `500ms`, `2m`. */
function seconds() {
  const units: Record<string, number> = { "": 1000, s: 1000, ms: 1, m: 60_000, h: 3_600_000 };
  const read = (text: string) => {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|)$/.exec(text);
    const ms = match ? Number(match[1]) * units[match[2]] : NaN;
    return ms <= 86_400_000 ? ms : undefined;
  };
  return valueParser("TIME", read, "a time like 10, 500ms or 2m, of a day at most");
}

function threshold() {
  const wanted = `a condition like 'p99>5ms' or 'errors>0', of ${figureNames.join(", ")}`;
  return valueParser("CONDITION", parseThreshold, wanted);
}
