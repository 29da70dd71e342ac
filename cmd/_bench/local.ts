/** The commands of `barge bench` that measure this machine. */
import type { Job } from "../../core/bench/local/job.ts";
import type { Subject } from "../../core/bench/local/measure.ts";
import { BargeError, typed } from "../../core/error.ts";
import { command, flag, value, valueOr } from "../_term/command.ts";
import { exitCodes } from "../_term/exit.ts";
import { flush, print, printJson, StatusLine, terminal, terminalWidth } from "../_term/out.ts";
import { count, path, plain } from "../_term/value.ts";
import { self } from "./self.ts";

const about = {
  spawn:
    "Starts hundreds of workers, subprocesses and tasks that do nothing, and waits until they end.",
  cpu:
    `Computes ten jobs in tasks of one isolate, in workers and in subprocesses, to show the gain of
    more cores. Their start counts.`,
  io: `Reads a small file repeatedly in tasks, workers and subprocesses. They start before the
    measurement, so this measures reading alone; \`barge bench spawn\` measures the start.`,
  switch: "Compares switches to a generator and back with calls of a function and with awaits.",
  fetch: "Requests six pages one by one, and together, from a server on this machine.",
  queue: `Passes numbers through a queue: between tasks, and between isolates by postMessage and by
    barge's own Queue on shared memory.`,
};
export type LocalBench = keyof typeof about;

/** Returns the command that measures one subject. */
export function localBench(name: LocalBench) {
  return command({
    options: {
      repetitions: valueOr(count("N", 1, 100), 3, "How many runs. Default: 3"),
      quick: flag("Do less work: seconds only"),
      svg: value(path("FILE"), "Also draw the result into FILE"),
      job: value(plain("JSON"), "Do one job and end: for the subprocesses"),
      jobWaits: flag("With --job: print `ready`, and begin after a line of input"),
    },
    about: `${about[name]}

      A worker corresponds to a thread in Python, a subprocess to a process, a task to a coroutine.
      "The course" is a Chinese course of 2017 on Python's threads and coroutines (see docs/demo.md).
      Its figures are for comparison: they come from Python, on another machine with 4 cores. All ways
      take turns; the output has the median, the minimum and the maximum.`,
    examples: [
      [`barge bench ${name} --quick`, "a first impression"],
      [`barge bench ${name} --repetitions 5 --svg ${name}.svg`, "with a picture"],
    ],
    async run({ repetitions, quick, svg, job, jobWaits, json }, { signal }) {
      if (job !== undefined) return await runJob(job, jobWaits);
      return await runLocal([name], { repetitions, quick, svg, json, signal });
    },
  });
}

async function runJob(text: string, waits: boolean): Promise<void> {
  const { doJob } = await import("../../core/bench/local/job.ts");
  let job: Job;
  try {
    job = JSON.parse(text);
  } catch {
    throw new BargeError("usage", "--job is for barge itself", { op: "bench" });
  }
  if (waits) {
    print("ready");
    flush();
    // The input ends when the parent process ends.
    if (await Deno.stdin.read(new Uint8Array(16)) === null) return;
  }
  await doJob(job);
  if (waits) print("done");
}

export interface LocalChoice {
  readonly repetitions: number;
  readonly svg?: string;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** Measures subjects of this machine and prints them. @returns the exit code */
export async function runLocal(
  names: readonly string[],
  { quick, ...choice }: LocalChoice & { readonly quick: boolean },
): Promise<number> {
  const { subjects } = await import("../../core/bench/local/subjects.ts");
  const file = await Deno.makeTempFile({ prefix: "barge-bench-" });
  const start = (job: Job, waits = false) =>
    self(["bench", "io", "--job", JSON.stringify(job), ...(waits ? ["--job-waits"] : [])], {
      stdin: waits ? "piped" : "null",
      stdout: "piped",
      stderr: "null",
    });
  try {
    await Deno.writeTextFile(file, "a small file\n".repeat(50));
    return await runSubjects(names.map((name) => subjects[name]({ quick, file, start })), choice);
  } finally {
    await Deno.remove(file);
  }
}

/** Measures subjects one after the other and prints each. @returns the exit code */
export async function runSubjects(
  subjects: readonly Subject[],
  { repetitions, svg, json, signal }: LocalChoice,
): Promise<number> {
  const { measure } = await import("../../core/bench/local/measure.ts");
  const draw = await import("../../core/bench/local/draw.ts");
  const { machine } = await import("../../core/bench/machine.ts");
  using status = terminal.stderr ? new StatusLine() : undefined;
  for (const subject of subjects) {
    const { name, title, scale = null } = subject;
    const rows = await measure(subject, repetitions, signal, (way, i) => {
      status?.show(`${name}: ${way}, ${i} of ${repetitions}`);
    });
    status?.hide();
    if (rows.length === 0) break;
    if (json) {
      const facts = { schema: "barge-bench-local/1", name, title, scale, machine: machine() };
      printJson({ ...facts, interrupted: signal.aborted, rows });
    } else for (const line of draw.bars(subject, rows, Math.min(100, terminalWidth()))) print(line);
    if (svg !== undefined) await write(svg, draw.svg(subject, rows, machine()));
  }
  if (!json) print(machine());
  return signal.aborted ? exitCodes.interrupted : 0;
}

async function write(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text);
  } catch (cause) {
    throw typed(cause, { op: "draw into", path });
  }
}
