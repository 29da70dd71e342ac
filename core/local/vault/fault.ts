/**
 * The points of a change that a crash may fall on, in the order in which a change reaches them. Only
 * a test's own worker arms them, by importing this file (tests/core/serve/_armed.ts): nothing in the
 * program does, and no option, variable or message can.
 *
 *   intended   a move or removal is written down
 *   sealed     the ledger knows what is about to be renamed into place; a small upload is staged then
 *   staged     all bytes are written, not synced
 *   synced     they are
 *   renamed    in place; the transaction that says so is open
 *   settled    its folder is synced and the ledger's row written, and not committed
 *   committed  it is; the client does not know yet
 */
export type Point =
  | "intended"
  | "sealed"
  | "staged"
  | "synced"
  | "renamed"
  | "settled"
  | "committed";

let armed: ((point: Point) => void) | undefined;

/** Has every point call `at` from here on, in this isolate. */
export function arm(at: (point: Point) => void): void {
  armed = at;
}

/** A change is at a point. */
export function reached(point: Point): void {
  armed?.(point);
}
