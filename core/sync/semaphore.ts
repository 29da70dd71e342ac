/**
 * A number of permits that can grow, as Python's `threading.Semaphore`.
 *
 * Memory: that of Permits; its word is the number of free permits, or -1 where somebody waits.
 */
import { Counting } from "./counting.ts";
import type { Handle } from "./handle.ts";
import { count, type RoomOptions } from "./options.ts";
import { Permits } from "./permits.ts";

/**
 * @example
 * ```ts
 * import { Semaphore } from "./mod.ts";
 * const five = new Semaphore(5);
 * {
 *   using _ = five.hold();
 *   five.release(2);
 * }
 * if (five.value !== 7) throw new Error("it grew");
 * ```
 */
export class Semaphore extends Counting<"Semaphore"> {
  /**
   * @param value how many permits there are at first
   * @param permits only for {@link attach}
   * @throws RangeError where `value` is no count
   */
  constructor(
    value = 1,
    options: RoomOptions = {},
    permits: Permits<"Semaphore"> = Permits.make(
      "Semaphore",
      count(value, "a semaphore's value", 0),
      options.waiters,
    ),
  ) {
    super(permits, 0x7fffffff);
  }

  /** The same semaphore, in another isolate. @throws TypeError where it is no such handle */
  static attach(handle: Handle<"Semaphore">): Semaphore {
    return new Semaphore(0, {}, Permits.attach("Semaphore", handle));
  }
}
