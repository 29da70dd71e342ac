/**
 * An event, as Python's `threading.Event`: a flag to wait for.
 *
 * Its memory is that of a Monitor with one queue and one word: 0 clear, 1 set.
 *
 * Invariant: the flag is set, and checked before joining the queue, inside the monitor's section,
 * so no agent joins once it is set. `set` grants all waiters in their order: each wait returns
 * true, even if the flag is cleared before the waiter wakes.
 */
import type { Handle } from "./handle.ts";
import { Monitor } from "./monitor.ts";
import { type AsyncOptions, deadline, type RoomOptions, type WaitOptions } from "./options.ts";

const shape = { kind: "Event", queues: 1, state: 1 } as const;
const queue = 0;
const FLAG = 0;

/**
 * @example
 * ```ts
 * import { Event } from "./mod.ts";
 * const ready = new Event();
 * if (ready.wait({ timeout: 0 })) throw new Error("it was clear");
 * ready.set();
 * if (!await ready.waitAsync()) throw new Error("it was set");
 * ```
 */
export class Event {
  readonly #monitor: Monitor<"Event">;

  /** @param monitor only for {@link attach} */
  constructor(
    options: RoomOptions = {},
    monitor: Monitor<"Event"> = Monitor.make(shape, options.waiters),
  ) {
    this.#monitor = monitor;
  }

  /** Returns the same event for another isolate. @throws TypeError for another kind of handle */
  static attach(handle: Handle<"Event">): Event {
    return new Event({}, Monitor.attach(shape, handle));
  }

  get handle(): Handle<"Event"> {
    return this.#monitor.handle;
  }

  /** Returns whether the flag is set. */
  isSet(): boolean {
    return this.#monitor.get(FLAG) === 1;
  }

  /** Sets the flag and releases all waiters. */
  set(): void {
    this.#monitor.run(() => {
      this.#monitor.set(FLAG, 1);
      while (this.#monitor.grant(queue));
    });
  }

  /** Clears the flag: later calls of `wait` wait. */
  clear(): void {
    this.#monitor.run(() => this.#monitor.set(FLAG, 0));
  }

  /**
   * Blocks the isolate until the flag is set.
   *
   * @returns false if the timeout has passed
   * @throws RangeError for a negative timeout
   */
  wait({ timeout }: WaitOptions = {}): boolean {
    const until = deadline(timeout);
    return this.#monitor.wait(queue, this.#join(), until);
  }

  /**
   * Waits until the flag is set, without blocking the isolate.
   *
   * @returns false if the timeout has passed
   * @throws RangeError for a negative timeout; the reason of an aborted signal
   */
  async waitAsync({ timeout, signal }: AsyncOptions = {}): Promise<boolean> {
    const until = deadline(timeout);
    signal?.throwIfAborted();
    return await this.#monitor.waitAsync(queue, this.#join(), until, signal);
  }

  #join(): number {
    if (this.isSet()) return 0;
    return this.#monitor.run(() => this.isSet() ? 0 : this.#monitor.join(queue));
  }
}
