/** Time limits of a client. */
import type { MinRate } from "../../net/min_rate.ts";

export type Timeouts = Readonly<typeof defaultTimeouts>;

/** In ms. */
export const defaultTimeouts = {
  /** To send a whole command before the login. */
  beforeLogin: 30_000,
  /** The total time until the login. */
  login: 120_000,
  /** To send a whole command after the login. */
  idle: 600_000,
  /** To read a reply. */
  answer: 60_000,
  /** For a TLS handshake. */
  handshake: 10_000,
  /** To make the data connection that a transfer waits for. */
  data: 15_000,
  /** To begin a transfer after PASV or EPSV. */
  unused: 60_000,
  /** Without a byte moving in a transfer. */
  transfer: 60_000,
  /** The most that {@link proofWait} returns. */
  replace: 300,
  /** The total time from the last reply until the client closes. */
  linger: 2_000,
  /** The minimum pace of a transfer. */
  floor: { bytes: 60 * 1024, periodMs: 60_000 } as MinRate,
};

/**
 * Returns how long the control connection must stay open after the end of an upload without TLS, before the
 * upload is published. A killed client ends both connections at once, but the news of the second end may be
 * late: a lost packet is sent again after 200 ms. A new file can be sent again, so it waits only a
 * twentieth of the duration of its transfer, and many small files lose no time.
 *
 * @param replaces true if the upload replaces a file
 * @param durationMs the duration of the transfer
 * @returns the wait, in ms
 *
 * @example
 * ```ts
 * import { defaultTimeouts, proofWait } from "./timeouts.ts";
 * if (proofWait(defaultTimeouts, true, 0) !== 300) throw new Error();
 * const waits = [2, 1000, 3_600_000].map((took) => proofWait(defaultTimeouts, false, took));
 * if (waits.join() !== "1,50,300") throw new Error(waits.join());
 * ```
 */
export function proofWait({ replace }: Timeouts, replaces: boolean, durationMs: number): number {
  return replaces ? replace : Math.min(replace, Math.max(1, durationMs / 20));
}
