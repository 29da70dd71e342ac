/**
 * A timer, as Python's `threading.Timer`: it calls a function later, unless it is canceled before.
 *
 * Its memory is that of an Event, which is set when the function has returned or the timer was canceled.
 * The states: created --start--> waiting --> called | canceled.
 *
 * The function stays in the isolate that created the timer. It is called from the event loop, so
 * not while that isolate blocks. Other isolates can cancel the timer and wait for its end.
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
 * if (greeted.join() !== "you") throw new Error("the function was not called");
 * ```
 */
export class Timer<A extends readonly unknown[] = readonly unknown[]> {
  /** Set when the function has returned, or will not be called. */
  readonly finished: Event;
  readonly #interval: number;
  readonly #call: (() => void) | undefined;
  #started = false;

  /**
   * @param interval seconds from {@link start} to the call
   * @param fn called once; an error that it throws is uncaught, as in `setTimeout`
   * @param args its arguments
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

  /**
   * Returns the same timer for another isolate, to cancel it. @throws TypeError for another handle
   */
  static attach(handle: Handle<"Timer">): Timer {
    const { kind, memory } = handle ?? {};
    if (kind !== "Timer") throw new TypeError(`this is no Timer's handle: it is a ${kind}'s`);
    return new Timer(0, undefined, [], {}, Event.attach({ kind: "Event", memory }));
  }

  get handle(): Handle<"Timer"> {
    return { kind: "Timer", memory: this.finished.handle.memory };
  }

  /** Starts the timer. @throws Error the second time; TypeError in another isolate */
  start(): void {
    if (this.#call === undefined) throw new TypeError("a timer is started where it was created");
    if (this.#started) throw new Error("a timer can be started once only");
    this.#started = true;
    this.#run(this.#call).catch((error) => {
      queueMicrotask(() => {
        throw error;
      });
    });
  }

  /** Cancels the call, if it has not been made yet. */
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
