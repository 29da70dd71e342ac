/**
 * Spreads files over several connections, of which each takes one file at a time. Connections that have
 * nothing to do are kept alive, since a large file may occupy another one for hours.
 */
import type { Client } from "../client.ts";
import { ping } from "../ping.ts";

const pingIntervalMs = 30_000;

/** A connection with what transfers files over it. */
export interface Lane<T> {
  readonly client: Client;
  readonly transfer: T;
}

export class Lanes<T> {
  readonly #all: readonly Lane<T>[];
  readonly #pingIntervalMs: number;
  /** The lanes without work, in the order in which they became free. */
  readonly #idle: Lane<T>[];
  readonly #busy = new Set<Promise<void>>();

  constructor(lanes: readonly Lane<T>[], intervalMs = pingIntervalMs) {
    this.#all = lanes;
    this.#idle = [...lanes];
    this.#pingIntervalMs = intervalMs;
  }

  /**
   * Waits for a free lane, and starts work there. A lane whose connection is closed gets no more files,
   * unless no other lane is left.
   *
   * @param work reports its failures, and never throws
   */
  async start(work: (transfer: T) => Promise<void>): Promise<void> {
    let lane = await this.#free();
    while (lane.client.closed && this.#idle.length + this.#busy.size > 0) lane = await this.#free();
    this.#run(lane, work);
  }

  /** Waits until all lanes are free, then does work on each of them, and waits for that, too. */
  async each(work: (transfer: T) => Promise<void>): Promise<void> {
    await this.settled();
    this.#idle.length = 0;
    for (const lane of this.#all) this.#run(lane, work);
    await this.settled();
  }

  /** Waits until all lanes are free. */
  async settled(): Promise<void> {
    const timer = setInterval(() => this.#ping(), this.#pingIntervalMs);
    try {
      await Promise.all(this.#busy);
    } finally {
      clearInterval(timer);
    }
  }

  async #free(): Promise<Lane<T>> {
    while (this.#idle.length === 0) await Promise.race(this.#busy);
    return this.#idle.shift()!;
  }

  #run(lane: Lane<T>, work: (transfer: T) => Promise<void>): void {
    const ended: Promise<void> = work(lane.transfer).finally(() => {
      this.#busy.delete(ended);
      this.#idle.push(lane);
    });
    this.#busy.add(ended);
  }

  #ping(): void {
    for (const { client } of this.#idle) {
      ping(client).catch(() => {/* the next request over it reports the failure */});
    }
  }
}
