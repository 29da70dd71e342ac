/** A reporter that records the trace of a lesson. */
import { runLesson, type RunOptions } from "../../../core/demo/run_lesson.ts";
import type { WorkerPool } from "../../../core/demo/runner/worker_pool.ts";
import type { Drawing, PartStart, Reporter, TraceEvent } from "../../../core/demo/trace.ts";

/** The recorded trace of one part. */
export interface Part {
  readonly start: PartStart;
  readonly events: TraceEvent[];
  drawing: Drawing;
}

/** Returns a reporter, and the trace that it records: as lines of JSON, and by parts. */
export function recorder(): {
  readonly reporter: Reporter;
  readonly lines: string[];
  readonly parts: Part[];
} {
  const lines: string[] = [];
  const parts: Part[] = [];
  const reporter: Reporter = {
    partStarts(start) {
      parts.push({ start, events: [], drawing: [] });
      lines.push(JSON.stringify(start));
    },
    event(event) {
      parts.at(-1)!.events.push(event);
      lines.push(JSON.stringify(event));
    },
    drawing(_, drawing) {
      parts.at(-1)!.drawing = drawing;
      lines.push(JSON.stringify(drawing));
    },
  };
  return { reporter, lines, parts };
}

/** Runs a lesson at ten times its speed; `timer` at its own, since timers that are late ring in any order. */
export async function record(
  name: string,
  pool: WorkerPool,
  options: Partial<RunOptions> & { readonly seed: number },
) {
  const { reporter, ...trace } = recorder();
  const { signal } = new AbortController();
  const speed = name === "timer" ? 1 : 10;
  const verdict = await runLesson(name, reporter, pool, { signal, speed, ...options });
  return { verdict, ...trace };
}
