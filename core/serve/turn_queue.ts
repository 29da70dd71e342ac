/**
 * A line at a counter: so many are served at once, so much may wait, and the first to come is the
 * first to be served.
 */

interface Waiting {
  readonly weight: number;
  readonly go: () => void;
}

export class Line {
  readonly #most: number;
  readonly #room: number;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>();
  #served = 0;
  #weight = 0;
  #idle = Promise.withResolvers<void>();

  /** @param most how many are served at once @param room how much may wait, by weight */
  constructor(most: number, room: number) {
    this.#most = most;
    this.#room = room;
  }

  /** How many are being served, and wait. */
  get length(): number {
    return this.#served + this.#waiting.size;
  }

  /**
   * Waits for a turn.
   *
   * @param weight how much of the room it takes while it waits
   * @returns what ends the turn, to be called once; undefined at once where there is no room
   * @throws why `stop` was aborted
   *
   * @example
   * ```ts
   * import { Line } from "./turn_queue.ts";
   * const line = new Line(1, 1);
   * const first = await line.enter(1);
   * const second = line.enter(1);
   * if (await line.enter(1) !== undefined) throw new Error("there was room for one to wait");
   * first?.();
   * (await second)?.();
   * await line.empty();
   * ```
   */
  async enter(weight: number, stop?: AbortSignal): Promise<(() => void) | undefined> {
    stop?.throwIfAborted();
    if (this.#served < this.#most) this.#served++;
    else if (this.#weight + weight > this.#room) return undefined;
    else await this.#wait(weight, stop);
    return () => this.#leave();
  }

  /** Resolves when nobody is served, or waits. */
  async empty(): Promise<void> {
    while (this.length > 0) await this.#idle.promise;
  }

  #wait(weight: number, stop?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiting);
        this.#weight -= weight;
        stop?.removeEventListener("abort", tire);
      };
      const tire = () => {
        leave();
        this.#rest();
        reject(stop?.reason);
      };
      const go = () => {
        leave();
        resolve();
      };
      const waiting = { weight, go };
      this.#waiting.add(waiting);
      this.#weight += weight;
      stop?.addEventListener("abort", tire);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next) return next.go(); // it takes the place over
    this.#served--;
    this.#rest();
  }

  #rest(): void {
    if (this.length > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }
}
