/**
 * A semaphore, as Python's `threading.Semaphore`: a number of permits that `release` can raise.
 *
 * Its memory is that of Permits.
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
 * if (five.value !== 7) throw new Error("7 permits are free");
 * ```
 */
export class Semaphore extends Counting<"Semaphore"> {
  /**
   * @param value the initial number of permits
   * @param permits only for {@link attach}
   * @throws RangeError if `value` is no count
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

  /**
   * Returns the same semaphore for another isolate. @throws TypeError for another kind of handle
   */
  static attach(handle: Handle<"Semaphore">): Semaphore {
    return new Semaphore(0, {}, Permits.attach("Semaphore", handle));
  }
}
