/** Cuts clients that move no bytes in time, or too few. One sweep a second checks all of them. */
import { BargeError } from "../../error.ts";
import { type MinRate, RateMeter } from "../../net/min_rate.ts";

/** How long a client may take. */
export interface Timeouts {
  /** For the head of a request, from its first byte or the start of the connection. */
  readonly headMs: number;
  /** Between two requests. */
  readonly idleMs: number;
  /** Inside a request or response, without a byte that moves. */
  readonly stallMs: number;
  /** Without a byte of a body, until the server checks that the client is still connected (TLS only). */
  readonly probeMs: number;
  /** For the rest of a request's body, after the response. */
  readonly lingerMs: number;
  /** The lowest rate at which a client must send or receive. */
  readonly minRate: MinRate;
}

export const defaultTimeouts: Timeouts = {
  headMs: 30_000,
  idleMs: 60_000,
  stallMs: 60_000,
  probeMs: 5_000,
  lingerMs: 3_000,
  minRate: { bytes: 60 * 1024, periodMs: 60_000 },
};

const directions = ["read", "write"] as const;
type Direction = typeof directions[number];

const sweepIntervalMs = 1000;
const active = new Set<Watchdog>();
let sweeper: ReturnType<typeof setInterval> | undefined;

export class Watchdog implements Disposable {
  readonly #timeouts: Timeouts;
  readonly #cut: (reason: BargeError) => void;
  readonly #probe: (() => void) | undefined;
  readonly #deadlines = { read: Infinity, write: Infinity };
  /** The start of the current read, or the time of the last probe. */
  #quietSince = Infinity;
  #rates: Readonly<Record<Direction, RateMeter>> | undefined;

  /**
   * @param cut ends the connection, and must fail the waits on it
   * @param probe sends something that the client ignores: the runtime misses the end of a TLS connection
   *   that arrives together with data, unless a write fails
   */
  constructor(timeouts: Timeouts, cut: (reason: BargeError) => void, probe?: () => void) {
    this.#timeouts = timeouts;
    this.#cut = cut;
    this.#probe = probe;
  }

  /**
   * Waits for the client to send or receive.
   *
   * @param bytes the number of bytes that the wait is for; 0 if it is not known
   * @param moved resolves when the bytes have moved, to their number if it was not known; rejects when
   *   the connection ends
   */
  async wait(direction: Direction, bytes: number, moved: Promise<number | void>): Promise<void> {
    if (!this.#rates) this.#start();
    const { stallMs, minRate } = this.#timeouts;
    const began = performance.now();
    this.#deadlines[direction] = began + stallMs + bytes * minRate.periodMs / minRate.bytes;
    if (direction === "read") this.#quietSince = began;
    try {
      const count = await moved;
      const late = this.#rates![direction].record(count ?? bytes, performance.now() - began);
      const limit = `less than ${minRate.bytes} bytes in ${minRate.periodMs / 1000} s`;
      if (late) this.#cut(tooSlow(direction, limit));
    } finally {
      this.#deadlines[direction] = Infinity;
      if (direction === "read") this.#quietSince = Infinity;
    }
  }

  /** Cuts a client whose deadline has passed; probes a quiet one. */
  sweep(now: number): void {
    const late = directions.find((direction) => this.#deadlines[direction] < now);
    if (late) return this.#cut(tooSlow(late, "nothing in time"));
    if (!this.#probe || now - this.#quietSince < this.#timeouts.probeMs) return;
    this.#quietSince = now;
    this.#probe();
  }

  [Symbol.dispose](): void {
    active.delete(this);
    if (active.size > 0) return;
    clearInterval(sweeper);
    sweeper = undefined;
  }

  #start(): void {
    const { minRate } = this.#timeouts;
    this.#rates = { read: new RateMeter(minRate), write: new RateMeter(minRate) };
    active.add(this);
    sweeper ??= setInterval(sweep, sweepIntervalMs);
  }
}

function tooSlow(direction: Direction, amount: string): BargeError {
  const verb = direction === "read" ? "sent" : "took";
  return new BargeError("unavailable", `the client ${verb} ${amount}`);
}

function sweep(): void {
  const now = performance.now();
  for (const watchdog of active) watchdog.sweep(now);
}
