/**
 * The points of a change at which tests let it crash, in the order in which a change reaches them. Only a
 * test's own process or worker arms them, by importing this file (tests/core/serve/_armed.ts): nothing in
 * the program does, and no option, variable or message can.
 *
 * On one machine:
 *
 *   made       a new folder is on disk; the transaction with its row is open
 *   intended   the intent of a move or removal is recorded
 *   sealed     the ledger has the size and digest of an upload; a small upload is staged after it
 *   staged     all bytes are written, not synced
 *   synced     they are synced
 *   renamed    the file has its name; the transaction with its row is open
 *   settled    its folder is synced and its row written; the transaction is open
 *   committed  the transaction is committed; the client has no answer yet
 *   recorded   a change of accounts and its record are written; their transaction is open
 *
 *   delivered  a target has taken an event, in the supervisor; the event is still in storage
 *
 * Where machines share storage, each transaction has these points:
 *
 *   sent       bytes are in the bucket; no row refers to them
 *   written    all rows of a transaction are written, and it is open
 *   committed  the transaction is committed
 *   deleted    the collector has deleted an object of the bucket; its row is still there
 */

let armed: ((point: string) => void) | undefined;

/** Makes every point call `at` from now on, in this isolate. */
export function arm(at: (point: string) => void): void {
  armed = at;
}

/** Calls the armed function, if any. */
export function reached(point: string): void {
  armed?.(point);
}
