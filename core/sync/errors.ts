/** Errors with the names of Python's exceptions in `queue` and `threading`. */

/** The queue had no space for an item, or none in time. */
export class Full extends Error {
  override readonly name = "Full";
}

/** The queue had no item, or none in time. */
export class Empty extends Error {
  override readonly name = "Empty";
}

/** The queue was shut down: it accepts no items, and has none left. */
export class ShutDown extends Error {
  override readonly name = "ShutDown";
}

/** The barrier was broken or reset, before or while the caller waited at it. */
export class BrokenBarrierError extends Error {
  override readonly name = "BrokenBarrierError";
}
