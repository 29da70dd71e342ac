import type { Name } from "../text.ts";
import { keyOf, type LessonCode, type ThreadFunction, type ThreadKind } from "./lesson_code.ts";
import { LessonThread } from "./lesson_thread.ts";
import { type Primitives, toHandles } from "./primitives.ts";
import type { Scheduler } from "./scheduler.ts";
import { linkTask } from "./task_link.ts";
import { maxWorkers, type PooledWorker, type WorkerPool } from "./worker_pool.ts";

export interface ThreadStarterOptions {
  readonly lesson: string;
  readonly code: LessonCode;
  readonly scheduler: Scheduler;
  readonly pool: WorkerPool;
  readonly kind: ThreadKind;
  /** Whether the threads share workers, so that none may block its own. */
  readonly shareWorkers: boolean;
}

/** Starts the threads of one part of a lesson, as workers or as tasks. */
export class ThreadStarter implements Disposable {
  readonly #options: ThreadStarterOptions;
  readonly #workers: PooledWorker[] = [];
  #started = 0;

  constructor(options: ThreadStarterOptions) {
    this.#options = options;
  }

  /** @returns the thread's number */
  start(
    name: Name,
    threadFunction: ThreadFunction<Primitives, unknown>,
    primitives: Primitives,
    args: unknown,
    daemon: boolean,
  ): number {
    const { lesson, code, scheduler, kind, shareWorkers } = this.#options;
    const { id, report } = scheduler.add(name, daemon);
    if (kind === "task") {
      const { link, control } = linkTask(report);
      scheduler.setControl(id, control);
      const thread = new LessonThread(link, false);
      void runToEnd(thread, () => threadFunction(thread, primitives, args));
      return id;
    }
    const worker = this.#worker();
    scheduler.setControl(id, {
      resume: () => worker.send({ type: "resume", id }),
      timeOut: () => worker.send({ type: "timeOut", id }),
      terminate: () => worker.terminate(),
    });
    worker.listen(id, (message) => {
      if (message.type === "report") report(message.report);
    }, (error) => report({ actions: [], state: { kind: "ended", error } }));
    worker.send({
      type: "startThread",
      id,
      lesson,
      threadFunction: keyOf(code.functions, threadFunction),
      mayBlock: !shareWorkers,
      primitives: toHandles(primitives),
      args,
    });
    return id;
  }

  /** Gives the workers back to the pool. */
  [Symbol.dispose](): void {
    for (const worker of this.#workers) this.#options.pool.giveBack(worker);
  }

  #worker(): PooledWorker {
    const index = this.#started++;
    if (this.#options.shareWorkers && index >= maxWorkers) {
      return this.#workers[index % maxWorkers]!;
    }
    const worker = this.#options.pool.borrow();
    this.#workers.push(worker);
    return worker;
  }
}

/** The result of a thread's code, or the error that it threw. */
export interface Outcome {
  readonly result?: unknown;
  readonly thrown?: unknown;
}

/** Runs the code of a task, and reports its end to the scheduler. */
export async function runToEnd(
  thread: LessonThread,
  run: () => Promise<unknown>,
): Promise<Outcome> {
  try {
    const result = await run();
    thread.end({ result });
    return { result };
  } catch (thrown) {
    const error = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : "failed";
    thread.end({ error });
    return { thrown };
  }
}
