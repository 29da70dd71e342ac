/**
 * A bounded semaphore, as Python's `threading.BoundedSemaphore`: releasing more permits than were
 * acquired is an error.
 *
 * Its memory is that of Permits, and a word for the number of permits.
 */
import { Counting } from "./counting.ts";
import type { Handle } from "./handle.ts";
import { count, type RoomOptions } from "./options.ts";
import { Permits } from "./permits.ts";

/**
 * @example
 * ```ts
 * import { BoundedSemaphore } from "./mod.ts";
 * const one = new BoundedSemaphore(1);
 * try {
 *   one.release();
 *   throw new Error("one release too many");
 * } catch (error) {
 *   if (!(error instanceof RangeError)) throw error;
 * }
 * ```
 */
export class BoundedSemaphore extends Counting<"BoundedSemaphore"> {
  /**
   * @param value the number of permits
   * @param permits only for {@link attach}
   * @throws RangeError if `value` is no count
   */
  constructor(
    value = 1,
    options: RoomOptions = {},
    permits: Permits<"BoundedSemaphore"> = make(value, options),
  ) {
    super(permits, permits.words[permits.own]!);
  }

  /**
   * Returns the same semaphore for another isolate. @throws TypeError for another kind of handle
   */
  static attach(handle: Handle<"BoundedSemaphore">): BoundedSemaphore {
    return new BoundedSemaphore(0, {}, Permits.attach("BoundedSemaphore", handle, 1));
  }
}

function make(value: number, { waiters }: RoomOptions): Permits<"BoundedSemaphore"> {
  count(value, "a semaphore's value", 0);
  const permits = Permits.make("BoundedSemaphore", value, waiters, 1);
  permits.words[permits.own] = value;
  return permits;
}
