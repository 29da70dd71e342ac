/**
 * The protocol between a thread and the scheduler. The states of a thread, as the scheduler sees
 * them:
 *
 *     running -- requests a turn --> ready -- gets its turn --> running
 *             -- sleeps --> sleeping -- the time is over --> ready
 *             -- joins  --> joining -- the threads ended, the time is over, or all are stuck --> ready
 *             -- blocks --> blocked -- the primitive releases it, or the time is over --> running
 *             -- ends   --> ended
 */
import type { Action } from "../trace.ts";

/** The state that a thread reports; a thread without one is running. */
export type ThreadState =
  | { readonly kind: "ready" }
  | { readonly kind: "sleeping"; readonly seconds: number }
  | { readonly kind: "joining"; readonly ids: readonly number[]; readonly seconds?: number }
  /** The thread is about to wait at a primitive, for `seconds` at most. */
  | { readonly kind: "blocked"; readonly on: string; readonly seconds?: number }
  | { readonly kind: "ended"; readonly result?: unknown; readonly error?: string };

/** A message of a thread: its actions since its last report, and its new state. */
export interface Report {
  readonly actions: readonly Action[];
  readonly state: ThreadState;
}

/** The scheduler, as a thread sees it. */
export interface SchedulerLink {
  report(report: Report): void;
  /** Sends a report, and returns once the scheduler gives the thread its turn. */
  waitForTurn(report: Report): Promise<void>;
  /** Returns a signal that ends the wait reported last; for async waits only. */
  timeoutSignal(): AbortSignal;
}

/** A message of the scheduler: it is the thread's turn, or the time of its wait is over. */
export type ToThread = "resume" | "timeOut";
