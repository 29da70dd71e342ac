/**
 * A scheduled thread, as its own code sees it: each method is one step, which needs a turn of the
 * scheduler (scheduler.ts) and works on the real primitive.
 *
 * A wait has two parts. With its turn, the thread tries without blocking. If that fails, it reports
 * that it waits, and then waits at the primitive: it blocks its worker if it has one to itself, else
 * it uses the async method. When the primitive releases it, it requests its next turn.
 *
 * Timeouts are on the part's clock, so a wait with a timeout is an async one, and the scheduler ends
 * it.
 */
import { type Barrier, type Condition, Empty, type Event, Full } from "../../sync/mod.ts";
import { bilingual, formatValue, type Name, type Text } from "../text.ts";
import type { Action } from "../trace.ts";
import type { Acquirable, AnyQueue, Labeled } from "./primitives.ts";
import type { SchedulerLink } from "./protocol.ts";

export interface WaitOptions {
  /** Seconds on the part's clock. */
  readonly timeout?: number;
  /** False: only try. */
  readonly blocking?: boolean;
}

/** The result of a thread's code, or the error that it threw. */
export interface Outcome {
  readonly result?: unknown;
  readonly thrown?: unknown;
}

/** Describes an error of a thread or job, to post it. */
export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** The ways to get something from a primitive. */
interface Attempt<T> {
  readonly of: string;
  /** Tries without waiting. @returns undefined if it fails */
  readonly tryOnce: () => { readonly value: T } | undefined;
  readonly block: () => T;
  readonly waitAsync: (signal: AbortSignal) => Promise<T>;
  /** Returns the action to record after success. */
  readonly succeeded: (value: T) => Action;
  /** Describes the wait, where `of` is not enough. */
  readonly waitText?: Text;
  /** Describes the failure, where it has a name of its own. */
  readonly failureText?: Text;
}

export class LessonThread {
  readonly #link: SchedulerLink;
  readonly #mayBlock: boolean;
  #actions: Action[] = [];

  /** @param mayBlock whether it may block its isolate */
  constructor(link: SchedulerLink, mayBlock: boolean) {
    this.#link = link;
    this.#mayBlock = mayBlock;
  }

  /** Takes a step. @param text describes the step, or its result */
  async step<T>(text: Text | ((result: T) => Name), work?: () => T | Promise<T>): Promise<T> {
    await this.waitForTurn();
    const result = await work?.() as T;
    this.record({ what: "runs", text: typeof text === "function" ? text(result) : text });
    return result;
  }

  async print(text: Name): Promise<void> {
    await this.waitForTurn();
    this.record({ what: "notes", text });
  }

  async sleep(seconds: number): Promise<void> {
    await this.waitForTurn();
    this.record({ what: "sleeps", text: bilingual`for ${seconds} s || ${seconds} 秒` });
    await this.#link.waitForTurn({
      actions: this.#takeActions(),
      state: { kind: "sleeping", seconds },
    });
    this.record({ what: "runs" });
  }

  /** Takes a lock or a permit. @returns false after the timeout, or if it may not wait */
  async acquire({ label, primitive }: Labeled<Acquirable>, options?: WaitOptions) {
    const acquired = await this.#get<boolean>({
      of: label,
      tryOnce: () => primitive.acquire({ blocking: false }) ? { value: true } : undefined,
      block: () => primitive.acquire(),
      waitAsync: (signal) => primitive.acquireAsync({ signal }),
      succeeded: () => ({ what: "holds", of: label }),
    }, options);
    return acquired ?? false;
  }

  /** Gives a lock or a permit back. @throws as the primitive does */
  async release({ label, primitive }: Labeled<Acquirable>): Promise<void> {
    await this.waitForTurn();
    primitive.release();
    this.record({ what: "releases", of: label });
  }

  /** Waits until an event is set. @returns false after the timeout, or if it may not wait */
  async waitForEvent({ label, primitive }: Labeled<Event>, options?: WaitOptions) {
    const isSet = await this.#get<boolean>({
      of: label,
      tryOnce: () => primitive.isSet() ? { value: true } : undefined,
      block: () => primitive.wait(),
      waitAsync: (signal) => primitive.waitAsync({ signal }),
      succeeded: () => runs(bilingual`${label} is set || ${label} 已置位`),
    }, options);
    return isSet ?? false;
  }

  async set({ label, primitive }: Labeled<Event>): Promise<void> {
    await this.step(bilingual`sets ${label} || 把 ${label} 置位`, () => primitive.set());
  }

  async clear({ label, primitive }: Labeled<Event>): Promise<void> {
    await this.step(bilingual`clears ${label} || 把 ${label} 清除`, () => primitive.clear());
  }

  /** Releases a condition's lock, waits for a notification, and takes the lock again. */
  async waitForCondition({ label, primitive }: Labeled<Condition>, lock: Labeled<Acquirable>) {
    await this.#get<boolean>({
      of: label,
      tryOnce: () => {
        this.record({ what: "releases", of: lock.label });
        return undefined;
      },
      block: () => primitive.wait(),
      waitAsync: (signal) => primitive.waitAsync({ signal }),
      succeeded: () => ({
        what: "holds",
        of: lock.label,
        text: bilingual`notified, and awake again || 收到通知，重新醒来`,
      }),
    });
  }

  /** Wakes one thread that waits at a condition. */
  async notify({ label, primitive }: Labeled<Condition>): Promise<void> {
    await this.step(
      bilingual`notifies one waiter of ${label} || 通知一个在 ${label} 等待的线程`,
      () => primitive.notify(),
    );
  }

  /** Waits until all parties have arrived at a barrier. @throws BrokenBarrierError */
  async waitForBarrier({ label, primitive }: Labeled<Barrier>): Promise<void> {
    await this.#get<number>({
      of: label,
      tryOnce: () => {
        const isLast = primitive.nWaiting + 1 >= primitive.parties;
        return isLast || primitive.broken ? { value: primitive.wait() } : undefined;
      },
      block: () => primitive.wait(),
      waitAsync: (signal) => primitive.waitAsync({ signal }),
      succeeded: (index) =>
        runs(bilingual`passes ${label} as number ${index} || 通过 ${label}，序号 ${index}`),
    });
  }

  /** Puts an item into a queue. @returns false after the timeout, or if it may not wait */
  async put({ label, primitive }: Labeled<AnyQueue>, item: unknown, options?: WaitOptions) {
    const queue = primitive as Pick<AnyQueue, "put"> & { put(item: unknown): void };
    const { en, zh } = formatValue(item);
    const done = await this.#get<true>({
      of: label,
      waitText: bilingual`for a free place || 等空位`,
      failureText: bilingual`Full: no free place in ${label} || Full：${label} 没有空位`,
      tryOnce: () => orUndefined(Full, () => (primitive.putNowait(item as never), true as const)),
      block: () => (queue.put(item), true),
      waitAsync: async (signal) => (await primitive.putAsync(item as never, { signal }), true),
      succeeded: () => runs(bilingual`puts ${en} into ${label} || 把 ${zh} 放入 ${label}`),
    }, options);
    return done ?? false;
  }

  /** Takes an item out of a queue. @returns undefined after the timeout, or if it may not wait */
  async get<T>({ label, primitive }: Labeled<AnyQueue>, options?: WaitOptions) {
    return await this.#get<T>({
      of: label,
      waitText: bilingual`for an item || 等数据`,
      failureText: bilingual`Empty: no item in ${label} || Empty：${label} 里没有数据`,
      tryOnce: () => orUndefined(Empty, () => primitive.getNowait() as T),
      block: () => primitive.get() as T,
      waitAsync: (signal) => primitive.getAsync({ signal }) as Promise<T>,
      succeeded: (item) => {
        const { en, zh } = formatValue(item);
        return runs(bilingual`gets ${en} from ${label} || 从 ${label} 取出 ${zh}`);
      },
    }, options);
  }

  /** Marks an item of a queue as done. */
  async taskDone({ label, primitive }: Labeled<AnyQueue>): Promise<void> {
    await this.step(
      bilingual`marks one task of ${label} as done || 报告 ${label} 的一件任务已做完`,
      () => primitive.taskDone(),
    );
  }

  /** Waits until all items of a queue are marked as done. */
  async joinQueue({ label, primitive }: Labeled<AnyQueue>): Promise<void> {
    await this.#get<boolean>({
      of: label,
      waitText: bilingual`until all tasks are done || 等全部做完`,
      tryOnce: () => primitive.unfinishedTasks === 0 ? { value: true } : undefined,
      block: () => primitive.join(),
      waitAsync: (signal) => primitive.joinAsync({ signal }),
      succeeded: () => runs(bilingual`all tasks of ${label} are done || ${label} 的任务全部做完`),
    });
  }

  /** Runs the thread's code, and reports its end to the scheduler. */
  async runToEnd(run: () => Promise<unknown>): Promise<Outcome> {
    const outcome: Outcome = await run().then((result) => ({ result }), (thrown) => ({ thrown }));
    const error = "thrown" in outcome ? describeError(outcome.thrown) : undefined;
    this.record({ what: "ends", text: error });
    const state = { kind: "ended", result: outcome.result, error } as const;
    this.#link.report({ actions: this.#takeActions(), state });
    return outcome;
  }

  protected async waitForTurn(): Promise<void> {
    await this.#link.waitForTurn({ actions: this.#takeActions(), state: { kind: "ready" } });
  }

  /** Waits for other threads to end. */
  protected async waitForThreads(ids: readonly number[], seconds?: number): Promise<void> {
    const state = { kind: "joining", ids, seconds } as const;
    await this.#link.waitForTurn({ actions: this.#takeActions(), state });
  }

  protected record(action: Action): void {
    this.#actions.push(action);
  }

  async #get<T>(
    attempt: Attempt<T>,
    { timeout, blocking = true }: WaitOptions = {},
  ): Promise<T | undefined> {
    await this.waitForTurn();
    const first = attempt.tryOnce();
    if (first !== undefined) {
      this.record(attempt.succeeded(first.value));
      return first.value;
    }
    const { of, waitText, failureText } = attempt;
    if (!blocking) {
      this.record(runs(failureText ?? bilingual`did not get ${of} || 没有拿到 ${of}`));
      return undefined;
    }
    const limit = bilingual`for ${timeout} s at most || 最多 ${timeout} 秒`;
    this.record({ what: "waits", of, text: timeout === undefined ? waitText : limit });
    this.#link.report({
      actions: this.#takeActions(),
      state: { kind: "blocked", on: of, seconds: timeout },
    });
    const value = await this.#wait(attempt, timeout);
    const gaveUp = failureText ?? bilingual`gave up on ${of} || 超时，放弃 ${of}`;
    this.record(value === undefined ? runs(gaveUp) : attempt.succeeded(value));
    return value;
  }

  async #wait<T>(attempt: Attempt<T>, timeout: number | undefined): Promise<T | undefined> {
    if (this.#mayBlock && timeout === undefined) return attempt.block();
    const signal = this.#link.timeoutSignal();
    try {
      return await attempt.waitAsync(signal);
    } catch (error) {
      if (signal.aborted && signal.reason === error && timeout !== undefined) return undefined;
      throw error;
    }
  }

  #takeActions(): readonly Action[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}

function runs(text: Text): Action {
  return { what: "runs", text };
}

function orUndefined<T>(
  error: typeof Full | typeof Empty,
  work: () => T,
): { readonly value: T } | undefined {
  try {
    return { value: work() };
  } catch (thrown) {
    if (thrown instanceof error) return undefined;
    throw thrown;
  }
}
