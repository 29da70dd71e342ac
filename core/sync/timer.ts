/**
 * A function called later, unless it is cancelled before, as Python's `threading.Timer`.
 *
 * Memory: an Event's, under the name of a timer: set once the function has returned, or the timer
 * was cancelled. The states: made --start--> waiting --> called | cancelled.
 *
 * The function stays in the isolate that made the timer, and is called from its event loop, so not
 * while that isolate blocks. Other isolates can cancel it, and wait for its end.
 */
import { Event } from "./event.ts";
import type { Handle } from "./handle.ts";
import { deadline, type RoomOptions } from "./options.ts";

/**
 * @example
 * ```ts
 * import { Timer } from "./mod.ts";
 * const greeted: string[] = [];
 * const timer = new Timer(0.01, (name: string) => greeted.push(name), ["you"]);
 * timer.start();
 * await timer.finished.waitAsync();
 * if (greeted.join() !== "you") throw new Error("it was called");
 * ```
 */
export class Timer<A extends readonly unknown[] = readonly unknown[]> {
  /** Set once the function has returned, or will not be called. */
  readonly finished: Event;
  readonly #interval: number;
  readonly #call: (() => void) | undefined;
  #started = false;

  /**
   * @param interval seconds from {@link start} to the call
   * @param fn what to call; what it throws is uncaught, as in a timer of the platform
   * @param args what to call it with
   * @param finished only for {@link attach}
   * @throws RangeError for a negative interval
   */
  constructor(
    interval: number,
    fn?: (...args: A) => void,
    args?: A,
    options: RoomOptions = {},
    finished: Event = new Event(options),
  ) {
    deadline(interval);
    this.#interval = interval;
    this.#call = fn && (() => fn(...args ?? [] as unknown as A));
    this.finished = finished;
  }

  /** The same timer, in another isolate: it can be cancelled. @throws TypeError for another handle */
  static attach(handle: Handle<"Timer">): Timer {
    const { kind, memory } = handle ?? {};
    if (kind !== "Timer") throw new TypeError(`this is no Timer's handle: it is a ${kind}'s`);
    return new Timer(0, undefined, [], {}, Event.attach({ kind: "Event", memory }));
  }

  get handle(): Handle<"Timer"> {
    return { kind: "Timer", memory: this.finished.handle.memory };
  }

  /** Begins to wait. @throws Error the second time; TypeError where the function is elsewhere */
  start(): void {
    if (this.#call === undefined) throw new TypeError("a timer is started where it was made");
    if (this.#started) throw new Error("a timer can be started once only");
    this.#started = true;
    this.#run(this.#call).catch((error) => {
      queueMicrotask(() => {
        throw error;
      });
    });
  }

  /** Keeps the function from being called, if it has not been yet. */
  cancel(): void {
    this.finished.set();
  }

  async #run(call: () => void): Promise<void> {
    await this.finished.waitAsync({ timeout: this.#interval });
    if (this.finished.isSet()) return;
    try {
      call();
    } finally {
      this.finished.set();
    }
  }
}
