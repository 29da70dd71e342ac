/**
 * A thread of a lesson, as its own code sees it: every method is one step that the director allows,
 * and works on the real primitive. See director.ts for why.
 *
 * A wait has two parts. With its turn, the agent tries without blocking; where that fails it
 * reports that it waits, and then waits in earnest: blocking its isolate if it has one to itself,
 * else by the async twin. It goes on when the primitive lets it, and pauses there for a turn.
 *
 * Timeouts are on the lesson's clock, not on the wall's, so a wait that has one is an async one, and
 * the director ends it.
 */
import { type Barrier, type Condition, Empty, type Event, Full } from "../../sync/mod.ts";
import type { Deed } from "../trace.ts";
import type { Line } from "./protocol.ts";
import type { AnyQueue, Permit, Prop } from "./primitives.ts";
import { type Name, shown, type Text } from "../text.ts";

/** How a thread waits. */
export interface Limits {
  /** Seconds on the lesson's clock. */
  readonly timeout?: number;
  /** False: only try. */
  readonly blocking?: boolean;
}

/** A way to get something: tried, then waited for. */
interface Attempt<T> {
  readonly of: string;
  readonly tries: () => { readonly got: T } | undefined;
  readonly blocks: () => T;
  readonly waits: (signal: AbortSignal) => Promise<T>;
  readonly gets: (got: T) => Deed;
  /** What the waiting is called, where it is not just for `of`. */
  readonly text?: Text;
  /** The name of its outcome without success, if it has one. */
  readonly fails?: Text;
}

export class Agent {
  readonly name: Name;
  readonly #line: Line;
  readonly #blocking: boolean;
  #deeds: Deed[] = [];

  /** @param blocking may it block its isolate? */
  constructor(name: Name, line: Line, blocking: boolean) {
    this.name = name;
    this.#line = line;
    this.#blocking = blocking;
  }

  /** Does something that takes one step. @param text what, or what it came to */
  async does<T>(text: Text | ((result: T) => Name), work?: () => T | Promise<T>): Promise<T> {
    await this.turn();
    const result = await work?.() as T;
    this.did({ what: "runs", text: typeof text === "function" ? text(result) : text });
    return result;
  }

  /** Prints a line. */
  async says(text: Name): Promise<void> {
    await this.turn();
    this.did({ what: "notes", text });
  }

  async sleeps(seconds: number): Promise<void> {
    await this.turn();
    this.did({ what: "sleeps", text: { en: `for ${seconds} s`, zh: `${seconds} 秒` } });
    await this.#line.turn({ deeds: this.#takeDeeds(), state: { is: "sleeping", seconds } });
    this.did({ what: "runs" });
  }

  /** Takes a lock or a permit. @returns false when the time was over, or it may not wait */
  async acquire({ label, it }: Prop<Permit>, limits: Limits = {}): Promise<boolean> {
    const got = await this.#get<boolean>({
      of: label,
      tries: () => it.acquire({ blocking: false }) ? { got: true } : undefined,
      blocks: () => it.acquire(),
      waits: (signal) => it.acquireAsync({ signal }),
      gets: () => ({ what: "holds", of: label }),
    }, limits);
    return got ?? false;
  }

  /** Gives a lock or a permit back. @throws as the primitive does */
  async release({ label, it }: Prop<Permit>): Promise<void> {
    await this.turn();
    it.release();
    this.did({ what: "releases", of: label });
  }

  /** Waits for a flag. @returns false when the time was over */
  async waitFor({ label, it }: Prop<Event>, limits: Limits = {}): Promise<boolean> {
    const got = await this.#get<boolean>({
      of: label,
      tries: () => it.isSet() ? { got: true } : undefined,
      blocks: () => it.wait(),
      waits: (signal) => it.waitAsync({ signal }),
      gets: () => ({ what: "runs", text: { en: `${label} is set`, zh: `${label} 已置位` } }),
    }, limits);
    return got ?? false;
  }

  async set({ label, it }: Prop<Event>): Promise<void> {
    await this.does({ en: `sets ${label}`, zh: `把 ${label} 置位` }, () => it.set());
  }

  async clear({ label, it }: Prop<Event>): Promise<void> {
    await this.does({ en: `clears ${label}`, zh: `把 ${label} 清除` }, () => it.clear());
  }

  /** Lets go of a condition's lock, waits for a notice, and takes the lock again. */
  async waitAt({ label, it }: Prop<Condition>, lock: Prop<Permit>): Promise<void> {
    await this.#get<boolean>({
      of: label,
      tries: () => {
        this.did({ what: "releases", of: lock.label });
        return undefined;
      },
      blocks: () => it.wait(),
      waits: (signal) => it.waitAsync({ signal }),
      gets: () => ({
        what: "holds",
        of: lock.label,
        text: { en: "notified, and awake again", zh: "收到通知，重新醒来" },
      }),
    }, {});
  }

  /** Lets one go on who waits at a condition. */
  async notify({ label, it }: Prop<Condition>): Promise<void> {
    await this.does(
      { en: `notifies one at ${label}`, zh: `通知一个在 ${label} 等待的线程` },
      () => it.notify(),
    );
  }

  /** Waits until all are there. @returns who it was of them, from 0 @throws BrokenBarrierError */
  async arrive({ label, it }: Prop<Barrier>): Promise<number> {
    const arrived = await this.#get<number>({
      of: label,
      tries: () => it.nWaiting + 1 < it.parties && !it.broken ? undefined : { got: it.wait() },
      blocks: () => it.wait(),
      waits: (signal) => it.waitAsync({ signal }),
      gets: (index) => ({
        what: "runs",
        text: { en: `passes ${label} as number ${index}`, zh: `通过 ${label}，序号 ${index}` },
      }),
    }, {});
    return arrived!;
  }

  /** Puts an item in. @returns false when the time was over, or it may not wait */
  async put({ label, it }: Prop<AnyQueue>, item: unknown, limits: Limits = {}): Promise<boolean> {
    const queue = it as Pick<AnyQueue, "put"> & { put(item: unknown): void };
    const done = await this.#get<true>({
      of: label,
      text: { en: "for room", zh: "等空位" },
      fails: { en: `Full: no room in ${label}`, zh: `Full：${label} 没有空位` },
      tries: () => tried(Full, () => (it.putNowait(item as never), true as const)),
      blocks: () => (queue.put(item), true),
      waits: async (signal) => (await it.putAsync(item as never, { signal }), true),
      gets: () => ({
        what: "runs",
        text: {
          en: `puts ${shown(item).en} into ${label}`,
          zh: `把 ${shown(item).zh} 放入 ${label}`,
        },
      }),
    }, limits);
    return done ?? false;
  }

  /** Takes an item out. @returns undefined when the time was over, or it may not wait */
  async get<T>({ label, it }: Prop<AnyQueue>, limits: Limits = {}): Promise<T | undefined> {
    return await this.#get<T>({
      of: label,
      text: { en: "for an item", zh: "等数据" },
      fails: { en: `Empty: no item in ${label}`, zh: `Empty：${label} 里没有数据` },
      tries: () => tried(Empty, () => it.getNowait() as T),
      blocks: () => it.get() as T,
      waits: (signal) => it.getAsync({ signal }) as Promise<T>,
      gets: (item) => ({
        what: "runs",
        text: {
          en: `gets ${shown(item).en} from ${label}`,
          zh: `从 ${label} 取出 ${shown(item).zh}`,
        },
      }),
    }, limits);
  }

  /** Reports the work on an item as done. */
  async taskDone({ label, it }: Prop<AnyQueue>): Promise<void> {
    await this.does(
      { en: `reports one task of ${label} as done`, zh: `报告 ${label} 的一件任务已做完` },
      () => it.taskDone(),
    );
  }

  /** Waits until all items of a queue have been reported as done. */
  async joinQueue({ label, it }: Prop<AnyQueue>): Promise<void> {
    await this.#get<boolean>({
      of: label,
      text: { en: "for all to be done", zh: "等全部做完" },
      tries: () => it.unfinishedTasks === 0 ? { got: true } : undefined,
      blocks: () => it.join(),
      waits: (signal) => it.joinAsync({ signal }),
      gets: () => ({
        what: "runs",
        text: { en: `all of ${label} is done`, zh: `${label} 的任务全部做完` },
      }),
    }, {});
  }

  /** Asks for a turn, having reported what was done. */
  protected async turn(): Promise<void> {
    await this.#line.turn({ deeds: this.#takeDeeds(), state: { is: "paused" } });
  }

  /** Waits for other threads to end. */
  protected async joins(whom: readonly number[], seconds?: number): Promise<void> {
    await this.#line.turn({ deeds: this.#takeDeeds(), state: { is: "joining", whom, seconds } });
  }

  protected did(deed: Deed): void {
    this.#deeds.push(deed);
  }

  /** Tells the last of it. */
  ends(outcome: { result?: unknown; error?: string }): void {
    this.did({ what: "ends", text: outcome.error });
    this.#line.tell({ deeds: this.#takeDeeds(), state: { is: "over", ...outcome } });
  }

  async #get<T>(attempt: Attempt<T>, { timeout, blocking = true }: Limits): Promise<T | undefined> {
    await this.turn();
    const found = attempt.tries();
    if (found !== undefined) {
      this.did(attempt.gets(found.got));
      return found.got;
    }
    const { of, text, fails } = attempt;
    if (!blocking) {
      this.did({ what: "runs", text: fails ?? { en: `did not get ${of}`, zh: `没有拿到 ${of}` } });
      return undefined;
    }
    this.did({
      what: "waits",
      of,
      text: timeout === undefined
        ? text
        : { en: `for ${timeout} s at most`, zh: `最多 ${timeout} 秒` },
    });
    this.#line.tell({
      deeds: this.#takeDeeds(),
      state: { is: "blocked", on: of, seconds: timeout },
    });
    const got = await this.#waits(attempt, timeout);
    const late = fails ?? { en: `gave up on ${of}`, zh: `超时，放弃 ${of}` };
    this.did(got === undefined ? { what: "runs", text: late } : attempt.gets(got));
    return got;
  }

  async #waits<T>(attempt: Attempt<T>, timeout: number | undefined): Promise<T | undefined> {
    if (this.#blocking && timeout === undefined) return attempt.blocks();
    const signal = this.#line.timeout();
    try {
      return await attempt.waits(signal);
    } catch (error) {
      if (signal.aborted && signal.reason === error && timeout !== undefined) return undefined;
      throw error;
    }
  }

  #takeDeeds(): readonly Deed[] {
    const deeds = this.#deeds;
    this.#deeds = [];
    return deeds;
  }
}

function tried<T>(
  error: typeof Full | typeof Empty,
  attempt: () => T,
): { readonly got: T } | undefined {
  try {
    return { got: attempt() };
  } catch (thrown) {
    if (thrown instanceof error) return undefined;
    throw thrown;
  }
}
