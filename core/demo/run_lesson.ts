/** Plays a lesson from its name: what the command line calls. */
import { BargeError } from "../error.ts";
import type { Audience, Verdict } from "./trace.ts";
import type { AgentKind, Lesson, Wish } from "./lesson.ts";
import { load } from "./catalog.ts";
import type { Pool } from "./runner/worker_pool.ts";
import { Stage } from "./runner/runner.ts";

/** How a lesson is to be played; what is undefined is as the lesson has it. */
export interface RunOptions extends Partial<Wish> {
  /** The same number gives the same interleaving. */
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Leave out what the lesson does not know, as it was asked of many at once. */
  readonly lenient?: boolean;
}

/**
 * Plays a lesson.
 *
 * @param name one of the table's
 * @returns its verdict
 * @throws {BargeError} `usage` for a wish that the lesson can't fulfil; what it does, such as
 *   `unavailable` for a port that is taken; the signal's reason
 */
export async function play(
  name: string,
  audience: Audience,
  pool: Pool,
  options: RunOptions,
): Promise<Verdict> {
  const lesson = await load(name);
  const { seed, signal } = options;
  const wish = wishOf(name, lesson, options);
  const stage = new Stage({ name, lesson, pool, audience, seed, signal, kind: wish.kind });
  return await lesson.play(stage, wish);
}

function wishOf(name: string, lesson: Lesson, options: RunOptions): Wish {
  const { lenient = false, speed = 1, port = 0, urls = [], waitFor = [], timeout = 15 } = options;
  return {
    threads: threadsOf(name, lesson, options.threads, lenient),
    kind: kindOf(name, lesson, options.kind, lenient),
    ...{ speed, port, urls, waitFor, timeout },
  };
}

function threadsOf(
  name: string,
  { threads }: Lesson,
  wanted: number | undefined,
  lenient: boolean,
): number {
  const usual = threads?.usual ?? 0;
  if (wanted === undefined) return usual;
  const inRange = threads && wanted >= threads.least && wanted <= threads.most;
  if (inRange && !(threads.even && wanted % 2 === 1)) return wanted;
  if (lenient) return usual;
  const even = threads?.even ? ", an even number" : "";
  throw new BargeError(
    "usage",
    threads
      ? `it takes from ${threads.least} to ${threads.most} threads${even}, not ${wanted}`
      : "it has a fixed number of threads",
    { op: "demo", path: name, hint: threads ? undefined : "leave --threads out" },
  );
}

function kindOf(
  name: string,
  { kinds }: Lesson,
  wanted: AgentKind | undefined,
  lenient: boolean,
): AgentKind {
  const usual = kinds?.[0] ?? "worker";
  if (wanted === undefined || kinds?.includes(wanted)) return wanted ?? usual;
  if (lenient) return usual;
  throw new BargeError(
    "usage",
    kinds ? `its threads can't be ${wanted}s` : "what its threads are is not to be chosen",
    { op: "demo", path: name, hint: `leave --kind out${kinds ? `, or say --kind ${usual}` : ""}` },
  );
}
