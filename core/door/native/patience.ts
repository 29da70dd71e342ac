/** Time limits of clients of the native door. */
import type { Floor } from "../../net/pace.ts";
import { type PauseLimits, pauseLimits } from "./pause.ts";

/** The time in which a client may send and read nothing, in ms. */
export interface Patience {
  /** Between requests, before it has logged in. */
  readonly stranger: number;
  /** The total time until it has logged in; undefined for no limit. */
  readonly login?: number;
  /** Between requests, after that. */
  readonly idle: number;
  /** Inside a request or an answer. */
  readonly request: number;
  /** The total time from the last answer until it closes. */
  readonly linger: number;
  /** The minimum pace inside a request or an answer. */
  readonly floor?: Floor;
  /** The limits of pauses inside a `put` or `get`; undefined if none are allowed. */
  readonly pause?: PauseLimits;
}

/** PROTOCOL.md, "Limits and deadlines". */
export const patience: Patience = {
  stranger: 30_000,
  login: 120_000,
  idle: 600_000,
  request: 60_000,
  linger: 2_000,
  floor: { bytes: 60 * 1024, over: 60_000 },
  pause: pauseLimits,
};

/** The time that a connection is watched during a check of an upload, in ms; longer than any check. */
export const maxCheckMs = 3600_000;
