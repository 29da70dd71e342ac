/**
 * Runs the parts of a lesson. The threads of a scheduled part are real, and take turns in an order
 * that the seed determines (scheduler.ts). A part in real time reports events in a fixed order.
 *
 * The first lane of a scheduled part is `main`, the code that starts the threads. It is an async
 * task, so that the program's own isolate never blocks.
 */
import type { Text } from "../text.ts";
import type { Clock, Drawing, Reporter, TraceEvent } from "../trace.ts";
import { type Job, keyOf, type LessonCode, type ThreadKind } from "./lesson_code.ts";
import { MainThread } from "./main_thread.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { ThreadStarter } from "./thread_starter.ts";
import { type FromJob, maxWorkers, type WorkerPool } from "./worker_pool.ts";

export interface RunnerOptions {
  /** The lesson's name in the catalog. */
  readonly name: string;
  readonly code: LessonCode;
  readonly pool: WorkerPool;
  readonly reporter: Reporter;
  readonly seed: number;
  /** The kind of threads that the user chose. */
  readonly kind: ThreadKind;
  readonly signal: AbortSignal;
}

export interface ScheduledPartOptions {
  /** The number of threads, if it could exceed {@link maxWorkers}. */
  readonly threads?: number;
  /** The time of a step on the part's clock. */
  readonly stepSeconds?: number;
  /** Overrides the kind of threads that the user chose. */
  readonly kind?: ThreadKind;
}

/** Reports the trace of a part in real time. */
export interface Trace {
  event(event: Omit<TraceEvent, "part">): void;
  /** Shows a drawing below the part's picture. */
  drawing(drawing: Drawing): void;
}

export class Runner {
  readonly signal: AbortSignal;
  /** The generator for random choices of a lesson. */
  readonly random: Random;
  readonly #options: RunnerOptions;
  #parts = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.signal = options.signal;
    this.random = new Random(options.seed);
  }

  /**
   * Runs a part whose threads the scheduler controls.
   *
   * @param script the code of `main`
   * @returns the script's result, once all threads but daemons have ended
   * @throws the error of a thread; {StuckError} if all threads wait and `main` does not join any
   */
  async runScheduled<T>(
    title: Text,
    script: (main: MainThread) => Promise<T>,
    { threads = 0, stepSeconds, kind = this.#options.kind }: ScheduledPartOptions = {},
  ): Promise<T> {
    const { name: lesson, code, pool, reporter, signal } = this.#options;
    const part = await this.#startPart(title, false, "lesson");
    const scheduler = new Scheduler({
      random: this.random,
      signal,
      stepSeconds,
      onEvent: (event) => reporter.event({ part, ...event }),
    });
    if (kind === "worker") pool.prestart(Math.min(threads, maxWorkers));
    const shareWorkers = threads > maxWorkers;
    using starter = new ThreadStarter({ lesson, code, scheduler, pool, kind, shareWorkers });
    const draw = (drawing: Drawing) => reporter.drawing(part, drawing);
    const main = new MainThread(scheduler.addTask("main").link, scheduler, starter, draw);
    const outcome = main.runToEnd(() => script(main));
    try {
      await scheduler.run();
      return (await outcome).result as T;
    } catch (error) {
      // If the script failed, the scheduler has only the message of its error.
      const ended = await Promise.race([outcome, undefined]);
      throw ended?.thrown ?? error;
    } finally {
      scheduler.terminateAll();
    }
  }

  /**
   * Runs a part in real time.
   *
   * @param clock the meaning of the times of its events
   */
  async runRealTime<T>(
    title: Text,
    script: (trace: Trace) => Promise<T> | T,
    clock: Clock = "staged",
  ): Promise<T> {
    const { reporter } = this.#options;
    const part = await this.#startPart(title, true, clock);
    let reported: Promise<void> = Promise.resolve();
    const enqueue = (report: () => Promise<void> | void) => {
      reported = reported.then(report);
      reported.catch(() => {}); // awaited below
    };
    try {
      const result = await script({
        event: (event) => enqueue(() => reporter.event({ part, ...event })),
        drawing: (drawing) => enqueue(() => reporter.drawing(part, drawing)),
      });
      await reported;
      this.signal.throwIfAborted();
      return result;
    } catch (error) {
      this.signal.throwIfAborted(); // an interruption is the cause of the failure
      throw error;
    }
  }

  /**
   * Runs a job of the lesson in a worker of its own, in real time.
   *
   * @param onMessage receives the job's messages
   * @throws Error with the job's error; the signal's reason
   */
  async runInWorker<A, R>(
    job: Job<A, R>,
    args: A,
    onMessage: (message: unknown) => void = () => {},
  ): Promise<R> {
    const { pool, name: lesson, code, signal } = this.#options;
    signal.throwIfAborted();
    const worker = pool.borrow();
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const stop = () => {
      worker.terminate();
      reject(signal.reason);
    };
    signal.addEventListener("abort", stop);
    const port = worker.start(
      { type: "job", lesson, job: keyOf(code.jobs, job), args },
      (reason) => reject(new Error(`a worker died: ${reason}`)),
    );
    port.onmessage = ({ data }: MessageEvent<FromJob>) => {
      if ("message" in data) onMessage(data.message);
      else if (data.error === undefined) resolve(data.result as R);
      else reject(new Error(data.error));
    };
    try {
      return await promise;
    } finally {
      port.close();
      signal.removeEventListener("abort", stop);
      pool.giveBack(worker);
    }
  }

  async #startPart(title: Text, realTime: boolean, clock: Clock): Promise<number> {
    this.signal.throwIfAborted();
    const part = ++this.#parts;
    await this.#options.reporter.partStarts({ part, title, realTime, clock });
    return part;
  }
}
