/**
 * A number of permits that can't grow, as Python's `threading.BoundedSemaphore`: giving back more
 * than was taken is an error.
 *
 * Memory: that of Permits, then a word: how many permits there are.
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
 *   throw new Error("it was released too often");
 * } catch (error) {
 *   if (!(error instanceof RangeError)) throw error;
 * }
 * ```
 */
export class BoundedSemaphore extends Counting<"BoundedSemaphore"> {
  /**
   * @param value how many permits there are
   * @param permits only for {@link attach}
   * @throws RangeError where `value` is no count
   */
  constructor(
    value = 1,
    options: RoomOptions = {},
    permits: Permits<"BoundedSemaphore"> = make(value, options),
  ) {
    super(permits, permits.words[permits.own]!);
  }

  /** The same semaphore, in another isolate. @throws TypeError where it is no such handle */
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
