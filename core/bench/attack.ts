/**
 * The load that one isolate puts on a server: connections that send requests for a while.
 *
 *     opening -> warm-up -> measuring -> last answers -> done
 *
 * The schedule (schedule.ts) decides when a connection may send. Without a rate, a connection sends its
 * next request when its last one was answered. With a rate, requests are due by the clock. A request that
 * becomes due while its connection waits for an answer is sent after that answer, and its latency counts
 * from when it was due. A request whose connection is free may be sent late, too, because this isolate was
 * busy. Its latency counts from when it is sent, since the server did not cause the delay, and the delay is
 * reported separately, as `lag`.
 *
 * Invariant: a request counts once, as an answer or as a failure. A request that was given up (`late`,
 * `lost`, `unsent`) counts among the latencies, too, with the time that it has waited.
 */
import { type Failure, type Open, toRequestError } from "./connection.ts";
import { connectError } from "./connect_error.ts";
import { Requester } from "./requester.ts";
import { ClosedLoop, PacedSchedule, type Schedule } from "./schedule.ts";
import { type Metrics, Tally } from "./tally.ts";

const sweepIntervalMs = 50;
/** Connections that are opened at a time: more would overflow the server's accept queue. */
const parallelOpens = 128;

/** The amount of a load. */
export interface Amount {
  readonly connections: number;
  /** The duration of the measurement, in ms. */
  readonly duration: number;
  /** The number of requests to measure; undefined: as many as the time allows. */
  readonly requests: number | undefined;
  /** Requests a second; undefined: a closed loop. */
  readonly rate: number | undefined;
  /** The duration of the load before the measurement, in ms. */
  readonly warmUp: number;
  /** The time after which a request is given up, in ms. */
  readonly timeout: number;
}

export interface AttackOptions extends Amount {
  readonly signal: AbortSignal;
  /** Called when measuring begins. */
  readonly onMeasuring?: () => void;
}

export class Attack {
  readonly #options: AttackOptions;
  readonly #requesters: readonly Requester[];
  #phase: "opening" | "warm-up" | "measuring" | "last answers" | "done" = "opening";
  #schedule: Schedule = new ClosedLoop(0);
  #tally: Tally;
  #startedAt: number | undefined;
  #endedAt: number | undefined;
  #dueTimer: ReturnType<typeof setTimeout> | undefined;
  #endWait: () => void = () => {};

  constructor(open: Open, options: AttackOptions) {
    this.#options = options;
    this.#tally = new Tally(options.connections);
    const events = {
      onChange: (requester: Requester) => this.#sendNext(requester),
      onOpenFailure: (failure: Failure) => this.#tally.addFailure(failure),
    };
    this.#requesters = Array.from(
      { length: options.connections },
      (_, number) => new Requester(number, open, events),
    );
  }

  /** The measurement so far. */
  get metrics(): Metrics {
    const end = this.#endedAt ?? performance.now();
    return this.#tally.metrics(this.#startedAt === undefined ? 0 : end - this.#startedAt);
  }

  /**
   * Runs the load until its end or the signal.
   *
   * @throws {BargeError} `unavailable` when the first connection can't be opened, or descriptors
   *   run out
   */
  async run(): Promise<Metrics> {
    const { signal, warmUp, duration, timeout } = this.#options;
    const stop = () => this.#endWait();
    signal.addEventListener("abort", stop);
    const sweeper = setInterval(() => this.#abandonLate(), sweepIntervalMs);
    try {
      await this.#openAll();
      if (!signal.aborted) await this.#send("warm-up", warmUp);
      if (!signal.aborted) await this.#send("measuring", duration);
      this.#endedAt = performance.now();
      this.#phase = "last answers";
      for (const requester of this.#requesters) requester.stopReopening();
      if (!signal.aborted) await this.#wait(timeout);
      this.#countUnanswered();
    } finally {
      this.#phase = "done";
      signal.removeEventListener("abort", stop);
      clearInterval(sweeper);
      clearTimeout(this.#dueTimer);
      for (const requester of this.#requesters) requester.close();
    }
    return this.metrics;
  }

  async #openAll(): Promise<void> {
    const { connections, signal } = this.#options;
    const queue = [...this.#requesters];
    // A server that refuses the first connection is reported at once, and not counted a thousand
    // times.
    await queue.shift()!.open().catch((cause) => {
      throw connectError(toRequestError(cause), connections);
    });
    await Promise.all(Array.from({ length: parallelOpens }, async () => {
      for (let requester; !signal.aborted && (requester = queue.shift());) {
        await this.#openOne(requester);
      }
    }));
  }

  async #openOne(requester: Requester): Promise<void> {
    try {
      await requester.open();
    } catch (cause) {
      const error = toRequestError(cause);
      if (error.failure === "descriptors") throw connectError(error, this.#options.connections);
      this.#tally.addFailure(error.failure);
      requester.reopenLater();
    }
  }

  /** Sends requests for `ms`, by a new schedule for this phase. */
  async #send(phase: "warm-up" | "measuring", ms: number): Promise<void> {
    const { rate, connections, requests, onMeasuring } = this.#options;
    const now = performance.now();
    this.#phase = phase;
    if (phase === "measuring") {
      this.#startedAt = now;
      this.#tally = new Tally(connections);
    }
    const limit = phase === "measuring" ? requests : undefined;
    if (rate === undefined) {
      this.#schedule = new ClosedLoop(limit);
      for (const requester of this.#requesters) this.#sendNext(requester);
    } else {
      const schedule = this.#schedule = new PacedSchedule(now, rate, connections, limit);
      clearTimeout(this.#dueTimer);
      this.#sendDue(schedule);
    }
    if (phase === "measuring") onMeasuring?.();
    await this.#wait(ms);
  }

  get #isSending(): boolean {
    return this.#phase === "warm-up" || this.#phase === "measuring";
  }

  get #measured(): Tally | undefined {
    return this.#phase === "measuring" ? this.#tally : undefined;
  }

  #sendNext(requester: Requester): void {
    if (this.#isSending) {
      if (!requester.isFree) return;
      const from = this.#schedule.take(requester.number);
      if (from !== undefined) return requester.send(from, this.#measured);
    }
    if (this.#isComplete()) this.#endWait();
  }

  /** Sends the requests that are due, and waits for the next ones. */
  #sendDue(schedule: PacedSchedule): void {
    if (!this.#isSending) return;
    const now = performance.now();
    for (let request; (request = schedule.release(now));) {
      const requester = this.#requesters[request.connection]!;
      if (!requester.isFree) continue;
      this.#tally.lag.add(now - request.due);
      schedule.take(requester.number);
      requester.send(performance.now(), this.#measured);
    }
    if (schedule.exhausted) return;
    const delay = Math.max(0, schedule.nextDue - performance.now());
    this.#dueTimer = setTimeout(() => this.#sendDue(schedule), delay);
  }

  #abandonLate(): void {
    const limit = performance.now() - this.#options.timeout;
    for (const requester of this.#requesters) requester.abandonSentBefore(limit);
  }

  /** Whether all requests of the measurement were sent and answered. */
  #isComplete(): boolean {
    const measured = this.#phase === "measuring" && this.#schedule.exhausted;
    if (!measured && this.#phase !== "last answers") return false;
    return !this.#requesters.some(({ request, isConnected, number }) =>
      request || measured && isConnected && this.#schedule.isDue(number)
    );
  }

  /** Counts the requests that are still under way, or were due and could not be sent. */
  #countUnanswered(): void {
    const now = performance.now();
    for (const { number, request } of this.#requesters) {
      if (request && !this.#options.signal.aborted) {
        request.tally?.addFailure("late", now - request.from);
      }
      if (this.#startedAt === undefined || !(this.#schedule instanceof PacedSchedule)) continue;
      for (let due; (due = this.#schedule.take(number)) !== undefined;) {
        this.#tally.addFailure("unsent", now - due);
      }
    }
  }

  /** Waits until the time is over, the signal is aborted, or the measurement is complete. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#isComplete()) this.#endWait();
    });
  }
}
