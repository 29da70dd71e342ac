/** What Python's `queue` and `threading` raise under the same names. */

/** A put that may not wait, or no longer, found no room. */
export class Full extends Error {
  override readonly name = "Full";
}

/** A get that may not wait, or no longer, found no item. */
export class Empty extends Error {
  override readonly name = "Empty";
}

/** The queue was shut down: nothing goes in, and nothing that is left comes out. */
export class ShutDown extends Error {
  override readonly name = "ShutDown";
}

/** The barrier was broken or reset while, or before, the caller waited at it. */
export class BrokenBarrierError extends Error {
  override readonly name = "BrokenBarrierError";
}
