import { bilingual, joinNames, type Name, type Text } from "../text.ts";
import type { Drawing } from "../trace.ts";
import type { ThreadFunction } from "./lesson_code.ts";
import { LessonThread } from "./lesson_thread.ts";
import type { Labeled, Primitive, Primitives } from "./primitives.ts";
import type { SchedulerLink } from "./protocol.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ThreadStarter } from "./thread_starter.ts";
import { drawWaitGraph, type Wait } from "./wait_graph.ts";

/** A thread that was started. */
export interface ThreadHandle<R = unknown> {
  readonly id: number;
  readonly name: Name;
  /** Never set; it gives the handle the type of the result. */
  readonly result?: R;
}

/** The thread `main` of a part of a lesson. It starts the other threads and waits for them. */
export class MainThread extends LessonThread {
  readonly #scheduler: Scheduler;
  readonly #starter: ThreadStarter;
  readonly #draw: (drawing: Drawing) => Promise<void> | void;

  constructor(
    link: SchedulerLink,
    scheduler: Scheduler,
    starter: ThreadStarter,
    draw: (drawing: Drawing) => Promise<void> | void,
  ) {
    super(link, false);
    this.#scheduler = scheduler;
    this.#starter = starter;
    this.#draw = draw;
  }

  /** Labels a primitive, so that threads of this part can wait at it. */
  register<P extends Primitive>(label: string, primitive: P): Labeled<P> {
    const labeled = { label, primitive };
    this.#scheduler.register(labeled);
    return labeled;
  }

  /** Starts a thread. @param threadFunction a function of the lesson's table */
  async start<P extends Primitives, A, R>(
    name: Name,
    threadFunction: ThreadFunction<P, A, R>,
    primitives: P,
    args?: A,
    { daemon = false } = {},
  ): Promise<ThreadHandle<R>> {
    const code = threadFunction as ThreadFunction<Primitives, unknown>;
    return await this.step(bilingual`starts ${name} || 启动 ${name}`, () => {
      return { name, id: this.#starter.start(name, code, primitives, args, daemon) };
    });
  }

  /** Starts threads, one after the other. Their names are `prefix` and a number from 1. */
  async startEach<P extends Primitives, A, R>(
    count: number,
    prefix: Name,
    threadFunction: ThreadFunction<P, A, R>,
    primitives: P,
    argsOf?: (number: number) => A,
    options = {},
  ): Promise<ThreadHandle<R>[]> {
    const threads: ThreadHandle<R>[] = [];
    for (let i = 1; i <= count; i++) {
      const name = typeof prefix === "string"
        ? `${prefix}${i}`
        : bilingual`${prefix}${i} || ${prefix}${i}`;
      threads.push(await this.start(name, threadFunction, primitives, argsOf?.(i), options));
    }
    return threads;
  }

  /**
   * Waits until threads have ended.
   *
   * @returns false after the timeout, or if all threads are stuck
   */
  async join(
    threads: readonly ThreadHandle[],
    { timeout }: { timeout?: number } = {},
  ): Promise<boolean> {
    await this.waitForTurn();
    const { en, zh } = summarizeNames(threads);
    this.record({ what: "waits", of: bilingual`the end of ${en} || ${zh} 结束`, joins: true });
    await this.waitForThreads(threads.map(({ id }) => id), timeout);
    const ended = threads.every(({ id }) => !this.#scheduler.isAlive(id));
    const notEnded = bilingual`${en} did not end || ${zh} 没有结束`;
    this.record({ what: "runs", text: ended ? undefined : notEnded });
    return ended;
  }

  isAlive({ id }: ThreadHandle): boolean {
    return this.#scheduler.isAlive(id);
  }

  /** Returns the names of all threads that are alive, `main` first. */
  enumerate(): Name[] {
    return this.#scheduler.aliveNames();
  }

  /** Waits until threads have ended. @returns their results */
  async resultsOf<R>(threads: readonly ThreadHandle<R>[]): Promise<R[]> {
    await this.join(threads);
    return threads.map(({ id }) => this.#scheduler.result(id) as R);
  }

  /** Returns the edges of the wait-for graph. */
  waits(): readonly Wait[] {
    return this.#scheduler.waits();
  }

  async drawWaitGraph(): Promise<void> {
    await this.#draw(drawWaitGraph(this.waits()));
  }

  /** Ends threads, whatever they do. Primitives at which they waited cannot be used again. */
  async terminate(threads: readonly ThreadHandle[]): Promise<void> {
    const { en, zh } = summarizeNames(threads);
    await this.step(bilingual`terminates ${en} || 强行结束 ${zh}`, () => {
      this.#scheduler.terminate(threads.map(({ id }) => id));
    });
  }
}

/** Returns the names of threads; of more than three, the first and the last. */
function summarizeNames(threads: readonly ThreadHandle[]): Text {
  if (threads.length <= 3) return joinNames(threads.map(({ name }) => name));
  const [first, last] = [threads[0]!.name, threads.at(-1)!.name];
  return bilingual`${first} to ${last} || ${first} 至 ${last}`;
}
