/**
 * What an agent and the director say to each other. The agent's states, as the director sees them:
 *
 *     going -- pauses --> paused -- its turn --> going
 *           -- sleeps --> sleeping -- the clock --> paused
 *           -- joins  --> joining -- those ended, the clock, or all is stuck --> paused
 *           -- blocks --> blocked -- (the primitive lets it go) --> going
 *           -- ended  --> over
 */
import type { Deed } from "../trace.ts";

export type State =
  | { readonly is: "paused" }
  | { readonly is: "sleeping"; readonly seconds: number }
  | { readonly is: "joining"; readonly whom: readonly number[]; readonly seconds?: number }
  /** It is about to wait at a primitive; with `seconds`, until the director says that they passed. */
  | { readonly is: "blocked"; readonly on: string; readonly seconds?: number }
  | { readonly is: "over"; readonly result?: unknown; readonly error?: string };

/** What an agent has done since it last reported, and what it is now. */
export interface Report {
  readonly deeds: readonly Deed[];
  readonly state: State;
}

/** The agent's end of the line. */
export interface Line {
  /** Tells, and goes on. */
  tell(report: Report): void;
  /** Tells, and returns once the director gives the agent its turn. */
  turn(report: Report): Promise<void>;
  /** Aborted when the time is over of the wait that was told last; for async waits only. */
  timeout(): AbortSignal;
}

/** The director's end. */
export interface Reins {
  /** Gives the agent its turn. */
  go(): void;
  /** Its wait has lasted as long as it may. */
  timeUp(): void;
  /** Ends it, whatever it does. */
  cut(): void;
}
