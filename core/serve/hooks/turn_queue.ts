/** A bounded first-in, first-out queue for a limited number of concurrent jobs. */

interface Waiter {
  readonly weight: number;
  readonly start: () => void;
}

export class TurnQueue {
  readonly #maxRunning: number;
  readonly #maxWaitingWeight: number;
  /** The waiting jobs, in the order of their arrival. */
  readonly #waiting = new Set<Waiter>();
  #running = 0;
  #waitingWeight = 0;
  #idle = Promise.withResolvers<void>();

  constructor(maxRunning: number, maxWaitingWeight: number) {
    this.#maxRunning = maxRunning;
    this.#maxWaitingWeight = maxWaitingWeight;
  }

  /** The number of running and waiting jobs. */
  get length(): number {
    return this.#running + this.#waiting.size;
  }

  /**
   * Waits for a turn.
   *
   * @param weight the job's share of the waiting weight, in the caller's unit
   * @returns the turn; disposing of it ends the turn. Undefined, without a wait, if the queue is full
   * @throws the reason of `stop`
   *
   * @example
   * ```ts
   * import { TurnQueue } from "./turn_queue.ts";
   * const queue = new TurnQueue(1, 1);
   * {
   *   using turn = await queue.enter(1);
   *   queue.enter(1).then((turn) => turn?.[Symbol.dispose]());
   *   if (await queue.enter(1) !== undefined) throw new Error("one job may wait, not two");
   * }
   * await queue.drained();
   * ```
   */
  async enter(weight: number, stop?: AbortSignal): Promise<Disposable | undefined> {
    stop?.throwIfAborted();
    if (this.#running < this.#maxRunning) this.#running++;
    else if (this.#waitingWeight + weight > this.#maxWaitingWeight) return undefined;
    else await this.#wait(weight, stop);
    return { [Symbol.dispose]: () => this.#leave() };
  }

  /** Waits until no job runs or waits. */
  async drained(): Promise<void> {
    while (this.length > 0) await this.#idle.promise;
  }

  #wait(weight: number, stop?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const dequeue = () => {
        this.#waiting.delete(waiter);
        this.#waitingWeight -= weight;
        stop?.removeEventListener("abort", cancel);
      };
      const cancel = () => {
        dequeue();
        this.#resolveIdle();
        reject(stop?.reason);
      };
      const start = () => {
        dequeue();
        resolve();
      };
      const waiter = { weight, start };
      this.#waiting.add(waiter);
      this.#waitingWeight += weight;
      stop?.addEventListener("abort", cancel);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next) return next.start(); // it runs in place of the one that ended
    this.#running--;
    this.#resolveIdle();
  }

  #resolveIdle(): void {
    if (this.length > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }
}
