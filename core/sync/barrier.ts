/**
 * A barrier, as Python's `threading.Barrier`: a number of agents wait for each other, repeatedly.
 *
 * Its memory is that of a Monitor with two queues (agents that arrived; agents that came while the action
 * ran) and six words: parties, arrivals, phase, cycle, and the default timeout in seconds (a Float64 over
 * two words; negative: none). The phases:
 *
 *     FILLING 0 --last arrival--> ACTING 1 (only with an action) --> FILLING, next cycle
 *     FILLING, ACTING --abort, a timeout, an action that throws--> BROKEN 2 --reset--> FILLING
 *
 * The last agent to arrive gives each of the others its index in one section, so the queues are
 * empty when the next cycle begins: CPython's states "draining" and "resetting" have no duration
 * here.
 *
 * Invariants: the queue of arrivals holds those of the current cycle only, in the order of arrival,
 * and the index is the position in that order. A released agent stays released, even if its timeout
 * passes or the barrier breaks before it wakes. While the action runs no wait times out, and an
 * agent that arrives waits for its end (without timeout, as in CPython).
 *
 * A terminated agent never arrives, or stays among the arrivals. With a timeout in `wait`, the
 * barrier then breaks for all.
 */
import { BrokenBarrierError } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { defaultWaiters, Monitor } from "./monitor.ts";
import {
  type AsyncOptions,
  count,
  deadline,
  type RoomOptions,
  type WaitOptions,
} from "./options.ts";

const shape = { kind: "Barrier", queues: 2, state: 6 } as const;
const arrived = 0;
const entering = 1;

const PARTIES = 0;
const COUNT = 1;
const PHASE = 2;
const CYCLE = 3;
const TIMEOUT = 4;

const FILLING = 0;
const ACTING = 1;
const BROKEN = 2;

/** Given to a waiter in place of its index when the barrier breaks. */
const brokenIndex = -1;

export interface ActionOptions {
  /**
   * Called in the isolate of the last agent to arrive, before all continue. If it throws, that wait
   * throws the same error, and the barrier breaks.
   */
  readonly action?: () => void;
}

export interface BarrierOptions extends ActionOptions, WaitOptions, RoomOptions {}

/** The next step of a wait after the arrival. */
type Step =
  | { readonly kind: "enter" | "wait"; readonly slot: number }
  | { readonly kind: "act"; readonly cycle: number }
  | { readonly kind: "passed"; readonly index: number };

/**
 * @example
 * ```ts
 * import { Barrier } from "./mod.ts";
 * const barrier = new Barrier(2);
 * const indices = await Promise.all([barrier.waitAsync(), barrier.waitAsync()]);
 * if (indices.join() !== "0,1") throw new Error("each has its own index");
 * ```
 */
export class Barrier {
  readonly #monitor: Monitor<"Barrier">;
  readonly #action: (() => void) | undefined;

  /**
   * @param parties how many agents wait for each other
   * @param options `timeout`: the default of `wait`; `waiters`: at least as many as parties
   * @param monitor only for {@link attach}
   * @throws RangeError for counts below 1 and negative timeouts
   */
  constructor(
    parties: number,
    options: BarrierOptions = {},
    monitor: Monitor<"Barrier"> = make(parties, options),
  ) {
    this.#monitor = monitor;
    this.#action = options.action;
  }

  /**
   * Returns the same barrier for another isolate.
   *
   * @param options the action, called if the last agent to arrive is in this isolate
   * @throws TypeError if the handle is not a barrier's
   */
  static attach(handle: Handle<"Barrier">, { action }: ActionOptions = {}): Barrier {
    return new Barrier(0, { action }, Monitor.attach(shape, handle));
  }

  get handle(): Handle<"Barrier"> {
    return this.#monitor.handle;
  }

  /** Number of agents that must arrive. */
  get parties(): number {
    return this.#monitor.get(PARTIES);
  }

  /** Number of agents that have arrived and wait. */
  get nWaiting(): number {
    return this.#monitor.get(COUNT);
  }

  /** Whether every wait fails. */
  get broken(): boolean {
    return this.#monitor.get(PHASE) === BROKEN;
  }

  /**
   * Waits for the others, blocking the isolate. A timeout breaks the barrier.
   *
   * @returns the position in the order of arrival, from 0
   * @throws BrokenBarrierError if the barrier is broken, breaks or is reset; the action's error;
   *   RangeError for a negative timeout
   */
  wait({ timeout }: WaitOptions = {}): number {
    const limit = this.#limit(timeout);
    for (;;) {
      const step = this.#arrive();
      if (step.kind === "passed") return step.index;
      if (step.kind === "act") return this.#act(step.cycle);
      if (step.kind === "wait") return this.#wait(step.slot, deadline(limit));
      this.#monitor.park(step.slot, Infinity);
      this.#monitor.settle(entering, step.slot);
    }
  }

  /**
   * Waits for the others without blocking the isolate. An aborted wait no longer counts as an
   * arrival; the barrier does not break.
   *
   * @returns and throws as {@link wait}; throws the signal's reason if it is aborted
   */
  async waitAsync({ timeout, signal }: AsyncOptions = {}): Promise<number> {
    const limit = this.#limit(timeout);
    for (;;) {
      signal?.throwIfAborted();
      const step = this.#arrive();
      if (step.kind === "passed") return step.index;
      if (step.kind === "act") return this.#act(step.cycle);
      if (step.kind === "wait") return await this.#waitAsync(step.slot, deadline(limit), signal);
      await this.#monitor.parkAsync(entering, step.slot, Infinity, signal);
      this.#monitor.settle(entering, step.slot);
    }
  }

  /** Repairs the barrier; current waiters get a BrokenBarrierError. */
  reset(): void {
    this.#monitor.run(() => this.#end(FILLING));
  }

  /** Breaks the barrier: waiters get a BrokenBarrierError, now and until it is reset. */
  abort(): void {
    this.#monitor.run(() => this.#end(BROKEN));
  }

  #limit(timeout: number | undefined): number | undefined {
    deadline(timeout);
    const defaultTimeout = timeoutWords(this.#monitor)[0]!;
    return timeout ?? (defaultTimeout < 0 ? undefined : defaultTimeout);
  }

  #arrive(): Step {
    return this.#monitor.run((): Step => {
      const phase = this.#monitor.get(PHASE);
      if (phase === BROKEN) throw new BrokenBarrierError("the barrier is broken");
      if (phase === ACTING) return { kind: "enter", slot: this.#monitor.join(entering) };
      const index = this.#monitor.get(COUNT);
      if (index + 1 < this.parties) {
        const slot = this.#monitor.join(arrived);
        this.#monitor.set(COUNT, index + 1);
        return { kind: "wait", slot };
      }
      if (this.#action === undefined) {
        this.#pass();
        return { kind: "passed", index };
      }
      this.#monitor.set(PHASE, ACTING);
      return { kind: "act", cycle: this.#monitor.get(CYCLE) };
    });
  }

  /** Runs the action and releases all waiters, as the last to arrive. */
  #act(cycle: number): number {
    try {
      this.#action?.();
    } catch (error) {
      this.#monitor.run(() => {
        if (this.#monitor.get(CYCLE) === cycle) this.#end(BROKEN);
      });
      throw error;
    }
    this.#monitor.run(() => {
      if (this.#monitor.get(CYCLE) !== cycle) throw new BrokenBarrierError("the barrier broke");
      this.#pass();
    });
    return this.parties - 1;
  }

  #wait(slot: number, until: number): number {
    this.#monitor.park(slot, until);
    const index = this.#settle(slot);
    if (index !== undefined) return index;
    this.#monitor.park(slot, Infinity);
    return this.#settle(slot)!;
  }

  async #waitAsync(slot: number, until: number, signal?: AbortSignal): Promise<number> {
    await this.#monitor.parkAsync(arrived, slot, until, signal, () => this.#unarrive());
    const index = this.#settle(slot, signal);
    if (index !== undefined) return index;
    await this.#monitor.parkAsync(arrived, slot, Infinity, signal, () => this.#unarrive());
    return this.#settle(slot, signal)!;
  }

  /** @returns undefined while the action runs: the wait continues until its end */
  #settle(slot: number, signal?: AbortSignal): number | undefined {
    return this.#monitor.run(() => {
      const [granted, waiting] = [this.#monitor.isGranted(slot), this.#monitor.isWaiting(slot)];
      if (waiting && this.#monitor.get(PHASE) === ACTING) return undefined;
      const index = granted ? this.#monitor.value(slot) : brokenIndex;
      this.#monitor.leave(arrived, slot);
      if (!granted && !waiting) signal?.throwIfAborted();
      if (waiting) {
        this.#unarrive();
        this.#end(BROKEN);
      }
      if (index === brokenIndex) throw new BrokenBarrierError("the barrier broke, or was reset");
      return index;
    });
  }

  #unarrive(): void {
    this.#monitor.set(COUNT, this.#monitor.get(COUNT) - 1);
  }

  #pass(): void {
    let index = 0;
    while (this.#monitor.grant(arrived, index)) index++;
    this.#begin(FILLING);
  }

  #end(phase: number): void {
    while (this.#monitor.grant(arrived, brokenIndex));
    this.#begin(phase);
  }

  #begin(phase: number): void {
    this.#monitor.set(COUNT, 0);
    this.#monitor.set(PHASE, phase);
    this.#monitor.set(CYCLE, this.#monitor.get(CYCLE) + 1);
    while (this.#monitor.grant(entering));
  }
}

function make(parties: number, { timeout, waiters }: BarrierOptions): Monitor<"Barrier"> {
  count(parties, "parties", 1);
  deadline(timeout);
  const monitor = Monitor.make(shape, waiters ?? Math.max(defaultWaiters, parties));
  monitor.set(PARTIES, parties);
  timeoutWords(monitor)[0] = timeout ?? -1;
  return monitor;
}

function timeoutWords({ words, state }: Monitor): Float64Array<ArrayBufferLike> {
  return new Float64Array(words.buffer, (state + TIMEOUT) * Int32Array.BYTES_PER_ELEMENT, 1);
}
