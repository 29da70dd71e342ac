import type { Name } from "../text.ts";
import { keyOf, type LessonCode, type ThreadFunction, type ThreadKind } from "./lesson_code.ts";
import { LessonThread } from "./lesson_thread.ts";
import { type Primitives, toHandles } from "./primitives.ts";
import type { Scheduler } from "./scheduler.ts";
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
    if (kind === "task") {
      const { id, link } = scheduler.addTask(name, daemon);
      const thread = new LessonThread(link, false);
      void thread.runToEnd(() => threadFunction(thread, primitives, args));
      return id;
    }
    const worker = this.#worker();
    const port = worker.start({
      type: "thread",
      lesson,
      threadFunction: keyOf(code.functions, threadFunction),
      mayBlock: !shareWorkers,
      primitives: toHandles(primitives),
      args,
    }, (error) => scheduler.fail(id, error));
    const id = scheduler.add(name, daemon, port, () => worker.terminate());
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
