/**
 * Deadlines for one peer: what it is waited for must move, and not too slowly. One sweep a second
 * looks after all, as in net/stream.ts; Node's sockets are Node's, and know nothing of Streams.
 */
import { BargeError } from "../../error.ts";
import { type Floor, Pace } from "../../net/pace.ts";

/** How long a client may take, in ms. */
export interface Patience {
  /** For the head of a request, from its first byte or the connection's begin. */
  readonly head: number;
  /** Between two requests. */
  readonly idle: number;
  /** Inside a request or an answer, without a byte that moves. */
  readonly request: number;
  /** Without a byte of a body, before a check whether the client is still connected (TLS only). */
  readonly quiet: number;
  /** For what it still sends after it was answered. */
  readonly linger: number;
  /** The least that it must move while it is waited for. */
  readonly floor: Floor;
}

export const patience: Patience = {
  head: 30_000,
  idle: 60_000,
  request: 60_000,
  quiet: 5_000,
  linger: 3_000,
  floor: { bytes: 60 * 1024, over: 60_000 },
};

type Side = "read" | "write";

const sweepEvery = 1000;
const awake = new Set<Vigil>();
let sweeper: ReturnType<typeof setInterval> | undefined;

export class Vigil implements Disposable {
  readonly #allowed: Patience;
  readonly #cut: (reason: BargeError) => void;
  readonly #nudge: (() => void) | undefined;
  readonly #by = { read: Infinity, write: Infinity };
  /** The start of the wait for its bytes, or the time of the last nudge. */
  #since = Infinity;
  #paces: { readonly read: Pace; readonly write: Pace } | undefined;

  /**
   * @param cut ends the connection, and must fail the waits on it
   * @param nudge sends something that the client ignores: the runtime loses the end of a TLS
   *   connection that comes together with data, and only a write fails then
   */
  constructor(allowed: Patience, cut: (reason: BargeError) => void, nudge?: () => void) {
    this.#allowed = allowed;
    this.#cut = cut;
    this.#nudge = nudge;
  }

  /**
   * Waits for the peer.
   *
   * @param bytes how many it moves by that
   * @param moved resolves when it has, with their number where that was not known; rejects when the
   *   connection ends
   */
  async wait(side: Side, bytes: number, moved: Promise<number | void>): Promise<void> {
    if (!this.#paces) this.#begin();
    const { request, floor } = this.#allowed;
    const began = performance.now();
    this.#by[side] = began + request + bytes * floor.over / floor.bytes;
    if (side === "read") this.#since = began;
    try {
      const count = await moved;
      const late = this.#paces![side].late(count ?? bytes, performance.now() - began);
      if (late) this.#cut(slow(side, `less than ${floor.bytes} bytes in ${floor.over / 1000} s`));
    } finally {
      this.#by[side] = Infinity;
      if (side === "read") this.#since = Infinity;
    }
  }

  /** Cuts a peer whose time is over. */
  sweep(now: number): void {
    const late = this.#by.read < now ? "read" : this.#by.write < now ? "write" : undefined;
    if (late) return this.#cut(slow(late, "nothing in time"));
    if (!this.#nudge || now - this.#since < this.#allowed.quiet) return;
    this.#since = now;
    this.#nudge();
  }

  [Symbol.dispose](): void {
    awake.delete(this);
    if (awake.size > 0) return;
    clearInterval(sweeper);
    sweeper = undefined;
  }

  #begin(): void {
    const { floor } = this.#allowed;
    this.#paces = { read: new Pace(floor), write: new Pace(floor) };
    awake.add(this);
    sweeper ??= setInterval(sweep, sweepEvery);
  }
}

function slow(side: Side, what: string): BargeError {
  return new BargeError("unavailable", `the client ${side === "read" ? "sent" : "took"} ${what}`);
}

function sweep(): void {
  const now = performance.now();
  for (const vigil of awake) vigil.sweep(now);
}
