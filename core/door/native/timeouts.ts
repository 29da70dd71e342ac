/** Time limits of clients of the native door. */
import type { MinRate } from "../../net/min_rate.ts";
import type { PauseLimits } from "./pause.ts";

export type Timeouts = Readonly<typeof defaultTimeouts>;

/** In ms: the longest time in which a client neither sends nor reads. PROTOCOL.md, "Limits and deadlines". */
export const defaultTimeouts = {
  /** Between requests, before the login. */
  beforeLogin: 30_000,
  /** The total time until the login. */
  login: 120_000,
  /** Between requests, after the login. */
  idle: 600_000,
  /** Inside a request or an answer. */
  request: 60_000,
  /** The total time from the last answer until the client closes. */
  linger: 2_000,
  /** The minimum pace inside a request or an answer. */
  floor: { bytes: 60 * 1024, periodMs: 60_000 } as MinRate,
  /** The limits of pauses inside a `put` or `get`; undefined if none are allowed. */
  pause: { every: 5000, most: 6 * 3600_000 } as PauseLimits | undefined,
};

/** The time that a connection is read during a check of an upload, in ms; longer than any check. */
export const maxCheckMs = 3600_000;
