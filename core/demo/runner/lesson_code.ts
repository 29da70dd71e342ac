/** The code of a lesson that runs in workers, which find a function by its name and the lesson's. */
import type { LessonThread } from "./lesson_thread.ts";
import type { Primitives } from "./primitives.ts";

/** The code of a scheduled thread. It has access to its arguments only. */
export type ThreadFunction<P extends Primitives, A, R = unknown> = (
  thread: LessonThread,
  primitives: P,
  args: A,
) => Promise<R>;

/** Code that runs alone in a worker, in real time. @param send sends a message to the caller */
export type Job<A, R> = (args: A, send: (message: unknown) => void) => R | Promise<R>;

/** The kinds of threads: workers, or async tasks of this isolate. */
export type ThreadKind = "worker" | "task";

export interface LessonCode {
  /** The code of the lesson's threads. */
  // deno-lint-ignore no-explicit-any
  readonly functions?: Readonly<Record<string, ThreadFunction<any, any>>>;
  // deno-lint-ignore no-explicit-any
  readonly jobs?: Readonly<Record<string, Job<any, any>>>;
}

/** @throws {TypeError} if the table does not have `value` */
export function keyOf(table: Readonly<Record<string, unknown>> = {}, value: unknown): string {
  const key = Object.keys(table).find((each) => table[each] === value);
  if (key === undefined) throw new TypeError("the code is not in the lesson's table");
  return key;
}
