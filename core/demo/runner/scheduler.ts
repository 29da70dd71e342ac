/**
 * Runs one part of a lesson: real threads at real primitives, in an order that a seed determines.
 *
 * A thread (a worker or an async task) takes one step at a time, when the scheduler gives it its turn.
 * A seeded generator chooses the next thread among those that are ready. The scheduler does not
 * decide the result of a step: the thread tries to take the real lock and, if it cannot, waits at it;
 * the primitive alone decides which waiter continues. The scheduler learns this from reports, and
 * gives the next turn once all threads are at rest.
 *
 * All threads are at rest if none is running, each blocked one has a waiting slot at a primitive
 * (core/sync/waiting.ts), and each lock is locked if and only if a thread has reported that it holds
 * it. Otherwise a thread has been released from its wait and has not reported it yet. (A thread takes
 * its slot at a condition before it releases the condition's lock.)
 *
 * Time is virtual: a step takes {@link defaultStepSeconds}, and if no thread is ready, the clock
 * jumps to the end of the next sleep or timeout. So a sleep costs no real time, unless the reporter
 * slows down the events for a spectator.
 *
 * Invariants:
 * - At most one thread has a turn. Its step may end the wait of other threads. Such a thread runs until
 *   it requests its next turn, and touches no primitive before that but a condition's lock. (So a lesson
 *   notifies one waiter at a time: the order of several would depend on the system.)
 * - Actions are recorded in a fixed order: those of the thread that had the turn, then those of the
 *   threads that it released, in the order of their start.
 * - Once a waiting worker has been terminated, the threads of that part do nothing but join: the
 *   waiting slot of the dead worker remains.
 *
 * Failures: a thread throws (the part fails with its error); all threads wait ({@link StuckError});
 * a worker dies (its thread has failed); the signal is aborted.
 */
import { Lock, RLock, waiting } from "../../sync/mod.ts";
import { bilingual, type Name, textIn } from "../text.ts";
import type { Action, TraceEvent } from "../trace.ts";
import { type Labeled, wakeWaiters } from "./primitives.ts";
import { linkOver } from "./link.ts";
import type { Report, SchedulerLink, ThreadState, ToThread } from "./protocol.ts";
import type { Random } from "./random.ts";
import { findCircle, type Wait } from "./wait_graph.ts";

/** The time of a step on the part's clock. */
const defaultStepSeconds = 0.01;
/** The limit of real time for all threads to come to rest; a longer time is a bug. */
const restTimeoutMs = 120_000;
/** The interval of checks for rest: a thread does not report that it has begun to wait. */
const restCheckMs = 1;

export interface SchedulerOptions {
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly stepSeconds?: number;
  readonly onEvent: (event: Omit<TraceEvent, "part">) => Promise<void> | void;
}

interface ScheduledThread {
  readonly id: number;
  readonly name: Name;
  readonly daemon: boolean;
  readonly port: MessagePort;
  /** Ends the thread, whatever it does. */
  readonly terminate: () => void;
  /** The actions that are not recorded yet. */
  actions: Action[];
  /** Undefined while the thread is running. */
  state: ThreadState | undefined;
  /** The end of its sleep or timeout. */
  wakeTime: number;
  readonly held: string[];
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #threads: ScheduledThread[] = [];
  readonly #ports: MessagePort[] = [];
  readonly #primitives = new Set<Labeled>();
  readonly #stepSeconds: number;
  #clock = 0;
  #anyTerminated = false;
  #onReport: (() => void) | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#stepSeconds = options.stepSeconds ?? defaultStepSeconds;
  }

  register(primitive: Labeled): void {
    this.#primitives.add(primitive);
  }

  /** Adds a thread that is about to run. @param port to the thread @returns its number */
  add(name: Name, daemon: boolean, port: MessagePort, terminate: () => void): number {
    const thread: ScheduledThread = {
      id: this.#threads.length,
      name,
      daemon,
      port,
      terminate,
      actions: [{ what: "starts" }],
      state: undefined,
      wakeTime: Infinity,
      held: [],
    };
    this.#threads.push(thread);
    this.#ports.push(port);
    port.onmessage = ({ data: { actions, state } }: MessageEvent<Report>) => {
      thread.actions.push(...actions);
      thread.state = state;
      const seconds = "seconds" in state ? state.seconds : undefined;
      thread.wakeTime = seconds === undefined ? Infinity : this.#clock + seconds;
      this.#onReport?.();
    };
    return thread.id;
  }

  /** Adds a thread that is an async task of this isolate. */
  addTask(name: Name, daemon = false): { readonly id: number; readonly link: SchedulerLink } {
    const { port1, port2 } = new MessageChannel();
    const terminated = new AbortController();
    const id = this.add(name, daemon, port1, () => terminated.abort());
    this.#ports.push(port2);
    return { id, link: linkOver(port2, terminated.signal) };
  }

  /** Ends a thread whose worker has died. */
  fail(id: number, error: string): void {
    this.#threads[id]!.state = { kind: "ended", error };
    this.#onReport?.();
  }

  isAlive(id: number): boolean {
    return this.#threads[id]!.state?.kind !== "ended";
  }

  /** Returns the names of the threads that have not ended, in the order of their start. */
  aliveNames(): Name[] {
    return this.#threads.filter(({ id }) => this.isAlive(id)).map(({ name }) => name);
  }

  /** Returns the result of a thread that has ended, else undefined. */
  result(id: number): unknown {
    const { state } = this.#threads[id]!;
    return state?.kind === "ended" ? state.result : undefined;
  }

  terminate(ids: readonly number[]): void {
    for (const id of ids) {
      const thread = this.#threads[id]!;
      if (thread.state?.kind === "ended") continue;
      this.#anyTerminated = true;
      thread.port.onmessage = null;
      thread.terminate();
      thread.actions.push({ what: "ends", text: bilingual`is terminated || 被中断` });
      thread.state = { kind: "ended" };
    }
  }

  /** Returns the edges of the wait-for graph. */
  waits(): Wait[] {
    return this.#threads.flatMap(({ name, state }) => {
      if (state?.kind !== "blocked") return [];
      const holders = this.#threads.filter(({ held }) => held.includes(state.on));
      return [{ thread: name, object: state.on, holders: holders.map((holder) => holder.name) }];
    });
  }

  /**
   * Runs the threads until all but daemons have ended; then terminates the daemons.
   *
   * @throws {StuckError} if no thread can continue; Error with the error of a thread; the signal's
   *   reason
   */
  async run(): Promise<void> {
    let last = 0;
    for (;;) {
      await this.#waitForRest();
      await this.#recordActions(last);
      if (this.#threads.every(({ id, daemon }) => daemon || !this.isAlive(id))) break;
      const ready = this.#threads.filter(({ state }) => state?.kind === "ready");
      if (ready.length === 0) {
        last = this.#advanceClock();
        continue;
      }
      const thread = ready[this.#options.random.below(ready.length)]!;
      last = thread.id;
      this.#clock += this.#stepSeconds;
      thread.state = undefined;
      thread.port.postMessage("resume" satisfies ToThread);
    }
    this.terminateAll();
    await this.#recordActions(0);
  }

  /** Terminates all threads that have not ended, and wakes terminated workers that wait. */
  terminateAll(): void {
    this.terminate(this.#threads.map(({ id }) => id));
    for (const port of this.#ports) port.close();
    if (!this.#anyTerminated) return;
    for (const { primitive } of this.#primitives) wakeWaiters(primitive);
  }

  /**
   * Moves the clock to the next end of a sleep or timeout. If there are none, the threads that join
   * others continue, so that they can look at the deadlock.
   *
   * @returns the number of the first thread that continues
   */
  #advanceClock(): number {
    const next = Math.min(...this.#threads.map(({ wakeTime }) => wakeTime));
    if (next === Infinity) {
      const joining = this.#threads.filter(({ state }) => state?.kind === "joining");
      if (joining.length === 0) throw new StuckError(this.waits());
      for (const thread of joining) thread.state = { kind: "ready" };
      return joining[0]!.id;
    }
    this.#clock = Math.max(this.#clock, next);
    const due = this.#threads.filter(({ wakeTime }) => wakeTime === next);
    for (const thread of due) {
      thread.wakeTime = Infinity;
      if (thread.state?.kind === "blocked") {
        thread.state = undefined;
        thread.port.postMessage("timeOut" satisfies ToThread);
      } else thread.state = { kind: "ready" };
    }
    return due[0]!.id;
  }

  /** Waits until all threads are at rest. Threads whose joined threads have ended become ready. */
  async #waitForRest(): Promise<void> {
    const start = performance.now();
    while (!this.#isAtRest()) {
      this.#options.signal.throwIfAborted();
      if (performance.now() - start > restTimeoutMs) {
        throw new Error("the threads did not come to rest");
      }
      await this.#waitForReport();
    }
    for (const thread of this.#threads) {
      const { state } = thread;
      if (state?.kind === "ended" && state.error !== undefined) {
        throw new Error(`${textIn(thread.name, "en")}: ${state.error}`);
      }
      if (state?.kind !== "joining" || state.ids.some((id) => this.isAlive(id))) continue;
      thread.state = { kind: "ready" };
      thread.wakeTime = Infinity;
    }
  }

  /** Returns whether all threads are at rest, as the comment of this file defines it. */
  #isAtRest(): boolean {
    if (this.#threads.some(({ state }) => state === undefined)) return false;
    const blocked = this.#threads.filter(({ state }) => state?.kind === "blocked").length;
    if (blocked === 0) return true;
    let slots = 0;
    for (const { label, primitive } of this.#primitives) {
      slots += waiting(primitive.handle);
      const isLock = primitive instanceof Lock || primitive instanceof RLock;
      if (isLock && primitive.locked() !== this.#isHeld(label)) return false;
    }
    return slots === blocked;
  }

  /** Returns whether a thread holds the lock, by all actions reported so far. */
  #isHeld(label: string): boolean {
    return this.#threads.some(({ held, actions }) => {
      let count = held.filter((each) => each === label).length;
      for (const { what, of } of actions) {
        if (of === label) count += what === "holds" ? 1 : what === "releases" ? -1 : 0;
      }
      return count > 0;
    });
  }

  async #waitForReport(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, restCheckMs);
    this.#onReport = resolve;
    await promise;
    this.#onReport = undefined;
    clearTimeout(timer);
  }

  /** Sends the new actions to the reporter. @param first the thread whose actions come first */
  async #recordActions(first: number): Promise<void> {
    const order = this.#threads.toSorted((a, b) =>
      Number(b.id === first) - Number(a.id === first) || a.id - b.id
    );
    for (const thread of order) {
      const { actions, held, name } = thread;
      thread.actions = [];
      for (const action of actions) {
        const { what, of } = action;
        if (what === "holds") held.push(of as string);
        if (what === "releases") held.splice(held.lastIndexOf(of as string), 1);
        await this.#options.onEvent({ t: this.#clock, lane: name, ...action });
      }
    }
    this.#options.signal.throwIfAborted();
  }
}

/** No thread can continue, and none joins others. */
export class StuckError extends Error {
  constructor(readonly waits: readonly Wait[]) {
    const list = waits.map(({ thread, object }) => `${textIn(thread, "en")} waits for ${object}`);
    super(`${findCircle(waits) ? "deadlock" : "no thread can continue"}: ${list.join(", ")}`);
  }
}
