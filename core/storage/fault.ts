/**
 * Points of a change at which tests let the program crash. Only a test's own process arms them, by importing
 * this file: nothing in the program does, and no option, variable or message can.
 */

let armed: ((point: string) => void) | undefined;

/** Has every point call `at` from now on, in this isolate. */
export function arm(at: (point: string) => void): void {
  armed = at;
}

/** Calls the armed function, if any. */
export function reached(point: string): void {
  armed?.(point);
}
