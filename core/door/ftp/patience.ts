/** Time limits of a client, in ms. */
import type { Floor } from "../../net/pace.ts";

export interface Patience {
  /** To send a whole command, before it has logged in. */
  readonly stranger: number;
  /** The total time until it has logged in. */
  readonly login: number;
  /** To send a whole command, after that. */
  readonly idle: number;
  /** To read a reply. */
  readonly answer: number;
  /** For a TLS handshake. */
  readonly handshake: number;
  /** To make the data connection that a transfer waits for. */
  readonly data: number;
  /** To begin a transfer after PASV or EPSV. */
  readonly unused: number;
  /** Without a byte moving in a transfer. */
  readonly transfer: number;
  /** The total time from the last reply until it closes. */
  readonly linger: number;
  /**
   * How long the control connection must stay open behind the end of an upload without TLS, before
   * that replaces a file; the maximum for a new file. A client that is killed ends both
   * connections at once; this covers the delay of the second end, since a lost packet is sent again
   * after 200 ms.
   */
  readonly replace: number;
  /** The minimum pace of a transfer. */
  readonly floor: Floor;
}

export const patience: Patience = {
  stranger: 30_000,
  login: 120_000,
  idle: 600_000,
  answer: 60_000,
  handshake: 10_000,
  data: 15_000,
  unused: 60_000,
  transfer: 60_000,
  replace: 300,
  linger: 2_000,
  floor: { bytes: 60 * 1024, over: 60_000 },
};

/**
 * How long the control connection must stay open behind the end of an upload without TLS, before
 * the upload is published. A new file can be sent again, so it waits only a twentieth of the
 * duration of its transfer, and many small files lose no time.
 *
 * @param replaces true if it replaces a file
 * @param took the duration of the transfer, in ms
 * @returns the wait, in ms
 *
 * @example
 * ```ts
 * import { patience, proofWait } from "./patience.ts";
 * if (proofWait(patience, true, 0) !== 300) throw new Error();
 * const waits = [2, 1000, 3_600_000].map((took) => proofWait(patience, false, took));
 * if (waits.join() !== "1,50,300") throw new Error(waits.join());
 * ```
 */
export function proofWait({ replace }: Patience, replaces: boolean, took: number): number {
  return replaces ? replace : Math.min(replace, Math.max(1, took / 20));
}
