/** How long the native door waits for its clients. */
import type { MinRate } from "../../net/min_rate.ts";
import { type PauseLimits, pauseLimits } from "./pause.ts";

/** How long a client may be silent, in ms. */
export interface Patience {
  /** Between requests, before it has logged in. */
  readonly stranger: number;
  /** Until it has logged in, all in all; undefined: any time. */
  readonly login?: number;
  /** Between requests, after that. */
  readonly idle: number;
  /** Inside a request or an answer. */
  readonly request: number;
  /** All in all, from our last answer until it closes. */
  readonly linger: number;
  /** The least that it must move while it is waited for inside a request or an answer. */
  readonly floor?: MinRate;
  /** How it may pause inside a `put` or `get`; undefined: not at all. */
  readonly pause?: PauseLimits;
}

/** PROTOCOL.md, "Limits and deadlines". */
export const patience: Patience = {
  stranger: 30_000,
  login: 120_000,
  idle: 600_000,
  request: 60_000,
  linger: 2_000,
  floor: { bytes: 60 * 1024, periodMs: 60_000 },
  pause: pauseLimits,
};

/** How long the connection is watched during a check of an upload, in ms: longer than any check takes. */
export const maxCheckMs = 3600_000;
