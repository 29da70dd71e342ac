/** Runs a lesson by name, for the command line. */
import { BargeError } from "../error.ts";
import { loadLesson } from "./catalog.ts";
import type { Lesson, LessonSettings } from "./lesson.ts";
import type { ThreadKind } from "./runner/lesson_code.ts";
import { Runner } from "./runner/runner.ts";
import type { WorkerPool } from "./runner/worker_pool.ts";
import type { Reporter, Verdict } from "./trace.ts";

/** The options of a run; the lesson's defaults replace undefined ones. */
export interface RunOptions extends Partial<LessonSettings> {
  /** The same seed gives the same interleaving. */
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Whether to ignore settings that the lesson does not support, for a run of many lessons. */
  readonly lenient?: boolean;
}

/**
 * Runs a lesson.
 *
 * @param name a key of the catalog
 * @throws {BargeError} `usage` for a setting that the lesson does not support; the lesson's own
 *   failures, such as `unavailable` for a port that is in use; the signal's reason
 */
export async function runLesson(
  name: string,
  reporter: Reporter,
  pool: WorkerPool,
  options: RunOptions,
): Promise<Verdict> {
  const lesson = await loadLesson(name);
  const { seed, signal, speed = 1, port = 0, urls = [], waitFor = [], timeout = 15 } = options;
  const threads = threadCount(name, lesson, options);
  const kind = threadKind(name, lesson, options);
  const runner = new Runner({ name, code: lesson, pool, reporter, seed, signal, kind });
  return await lesson.run(runner, { threads, kind, speed, port, urls, waitFor, timeout });
}

function threadCount(name: string, { threads }: Lesson, options: RunOptions): number {
  const { threads: wanted, lenient } = options;
  const defaultCount = threads?.default ?? 0;
  if (wanted === undefined) return defaultCount;
  const inRange = threads && wanted >= threads.min && wanted <= threads.max;
  if (inRange && !(threads.even && wanted % 2 === 1)) return wanted;
  if (lenient) return defaultCount;
  const even = threads?.even ? ", an even number" : "";
  throw new BargeError(
    "usage",
    threads
      ? `the lesson takes from ${threads.min} to ${threads.max} threads${even}, not ${wanted}`
      : "the lesson has a fixed number of threads",
    { op: "demo", path: name, hint: threads ? undefined : "leave --threads out" },
  );
}

function threadKind(name: string, { kinds }: Lesson, options: RunOptions): ThreadKind {
  const { kind: wanted, lenient } = options;
  const defaultKind = kinds?.[0] ?? "worker";
  if (wanted === undefined || kinds?.includes(wanted)) return wanted ?? defaultKind;
  if (lenient) return defaultKind;
  throw new BargeError(
    "usage",
    kinds
      ? `the lesson's threads cannot be ${wanted}s`
      : "the lesson has no choice between workers and tasks",
    {
      op: "demo",
      path: name,
      hint: kinds ? `leave --kind out, or use --kind ${defaultKind}` : "leave --kind out",
    },
  );
}
