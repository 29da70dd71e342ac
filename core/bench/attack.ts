/**
 * A load on a server, of one isolate: lines that ask and wait, for a while.
 *
 *   opening -> warm-up -> measuring -> last answers -> done
 *
 * Without a rate each line asks again when it was answered (a closed loop: a slow server is asked less
 * often, and its latency is the time of service). With one, requests are due by the clock (pacer.ts)
 * and given to the lines in turn. What is due at a line that still waits is sent when that is answered
 * and counted from when it was due. What is due at a free line is counted from when it is sent: that
 * the isolate itself was late is not the server's doing, and told apart, as `lag`.
 *
 * Invariants: a request is counted once, as an answer or as a failure; one that was given up (`late`,
 * `lost`, `unsent`) counts among the latencies, too, with the time until then, so that a server that
 * has stalled shows. A line that failed is opened again after a pause.
 */
import { BargeError } from "../error.ts";
import { Latencies } from "./histogram.ts";
import { type Failed, failed, type Failure, type Line, type Open } from "./connection.ts";
import { Pacer } from "./pacer.ts";

const sweepEvery = 50;
const firstPause = 100;
const longestPause = 1000;
/** So many lines are opened at a time: more would fill the line of those not yet accepted. */
const abreast = 128;

export interface AttackOptions {
  readonly connections: number;
  /** How long to measure, in ms. */
  readonly duration: number;
  /** So many requests in all, and not one more; undefined: as many as there is time for. */
  readonly requests: number | undefined;
  /** Requests a second; undefined: a closed loop. */
  readonly rate: number | undefined;
  /** How long to go on before it is measured, in ms. */
  readonly warmUp: number;
  /** After so many ms a request is given up. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** Called when measuring begins. */
  readonly onMeasuring?: () => void;
}

/** What came of it, or has until now. */
export interface Metrics {
  readonly latencies: Latencies;
  /** How late requests at a rate were sent, by the fault of the isolate. */
  readonly lag: Latencies;
  readonly answers: number;
  /** Bytes, of both directions. */
  readonly bytes: number;
  readonly failures: Readonly<Record<string, number>>;
  /** Measured for so many ms. */
  readonly elapsed: number;
  /** Answers of the line that got the fewest, and how many lines there are. */
  readonly fewest: number;
  readonly lines: number;
}

interface Slot {
  readonly number: number;
  line: Line | undefined;
  /** When the request was sent that is on its way, and from when it counts; 0: none is. */
  sent: number;
  from: number;
  /** With a rate: how many were due here, and how many of them were sent. */
  due: number;
  begun: number;
  answers: number;
  pause: number;
  /** Does it pause after a failure? */
  rests: boolean;
}

export class Attack {
  readonly #open: Open;
  readonly #options: AttackOptions;
  readonly #slots: Slot[];
  readonly #failures: Record<string, number> = {};
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #latencies = new Latencies();
  #lag = new Latencies();
  #answers = 0;
  #bytes = 0;
  #asked = 0;
  #released = 0;
  #pacer: Pacer | undefined;
  #phase: "opening" | "warm-up" | "measuring" | "last answers" | "done" = "opening";
  #began = 0;
  #ended = 0;
  #wake: () => void = () => {};

  constructor(open: Open, options: AttackOptions) {
    this.#open = open;
    this.#options = options;
    this.#slots = Array.from({ length: options.connections }, (_, number) => ({
      ...{ number, line: undefined, sent: 0, from: 0, due: 0, begun: 0, answers: 0 },
      ...{ pause: firstPause, rests: false },
    }));
  }

  /** What came of it until now. */
  get metrics(): Metrics {
    return {
      latencies: this.#latencies,
      lag: this.#lag,
      answers: this.#answers,
      bytes: this.#bytes,
      failures: this.#failures,
      elapsed: this.#began === 0 ? 0 : (this.#ended || performance.now()) - this.#began,
      fewest: this.#slots.reduce((least, { answers }) => Math.min(least, answers), Infinity),
      lines: this.#slots.length,
    };
  }

  /**
   * Runs it to its end, or to the signal.
   *
   * @throws {BargeError} `unavailable` when the first line can't be opened, or descriptors run out
   */
  async run(): Promise<Metrics> {
    const { signal, warmUp, duration, timeout } = this.#options;
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop);
    const sweeper = setInterval(() => this.#sweep(), sweepEvery);
    try {
      await this.#openAll();
      if (!signal.aborted) {
        this.#start("warm-up");
        await this.#wait(warmUp);
      }
      if (!signal.aborted) {
        this.#start("measuring");
        this.#options.onMeasuring?.();
        await this.#wait(duration);
      }
      this.#ended = performance.now();
      this.#phase = "last answers";
      if (!signal.aborted) await this.#wait(timeout);
      this.#giveUp();
    } finally {
      this.#phase = "done";
      signal.removeEventListener("abort", stop);
      clearInterval(sweeper);
      for (const timer of this.#timers) clearTimeout(timer);
      for (const { line } of this.#slots) line?.close();
    }
    return this.metrics;
  }

  async #openAll(): Promise<void> {
    const queue = [...this.#slots];
    const first = queue.shift()!;
    // When nobody listens there, that is told at once and not counted a thousand times.
    first.line = await this.#open().catch((cause) => {
      throw this.#hopeless(failed(cause));
    });
    await Promise.all(Array.from({ length: abreast }, async () => {
      for (let slot; !this.#options.signal.aborted && (slot = queue.shift());) {
        await this.#reopen(slot);
      }
    }));
  }

  #start(phase: "warm-up" | "measuring"): void {
    const { rate } = this.#options;
    const already = this.#phase === "warm-up";
    this.#phase = phase;
    const now = performance.now();
    if (phase === "measuring") {
      this.#began = now;
      [this.#latencies, this.#lag] = [new Latencies(), new Latencies()];
      [this.#answers, this.#bytes, this.#asked] = [0, 0, 0];
      for (const name of Object.keys(this.#failures)) delete this.#failures[name];
      for (const slot of this.#slots) slot.answers = 0;
    }
    if (rate === undefined) {
      if (!already) { for (const slot of this.#slots) this.#next(slot); }
      else for (const slot of this.#slots) if (slot.sent === 0) this.#next(slot);
      return;
    }
    this.#pacer = new Pacer(now, rate);
    this.#released = 0;
    for (const slot of this.#slots) slot.due = slot.begun = 0;
    if (!already) this.#tick();
  }

  /** Gives what is due to the lines, in turn. */
  readonly #tick = (): void => {
    if (!this.#pacer || !this.#running()) return;
    const { connections, requests = Infinity } = this.#options;
    const now = performance.now();
    const count = Math.min(this.#pacer.count(now), requests);
    for (; this.#released < count; this.#released++) {
      const slot = this.#slots[this.#released % connections];
      slot.due++;
      if (slot.sent !== 0 || !slot.line || slot.rests) continue;
      this.#lag.add(Math.max(0, now - this.#pacer.due(this.#released)));
      slot.begun++;
      this.#send(slot, performance.now());
    }
    this.#later(this.#tick, Math.max(0, this.#pacer.due(this.#released) - performance.now()));
  };

  /** Lets a line that is free ask again, if there is something to ask. */
  #next(slot: Slot): void {
    const { rate, requests = Infinity, connections } = this.#options;
    if (!slot.line || slot.sent !== 0 || slot.rests) return;
    if (!this.#running()) {
      if (this.#phase === "last answers") this.#check();
      return;
    }
    if (rate === undefined) {
      if (this.#phase === "measuring" && this.#asked >= requests) return this.#check();
      this.#asked++;
      return this.#send(slot, performance.now());
    }
    if (slot.begun >= slot.due) return this.#check();
    const k = slot.number + slot.begun++ * connections;
    this.#send(slot, this.#pacer!.due(k));
  }

  #running(): boolean {
    return this.#phase === "warm-up" || this.#phase === "measuring";
  }

  #send(slot: Slot, from: number): void {
    slot.sent = performance.now();
    slot.from = from;
    slot.line!.exchange().then(
      (bytes) => this.#answered(slot, bytes),
      (cause) => this.#failed(slot, failed(cause)),
    );
  }

  #answered(slot: Slot, bytes: number): void {
    // What was asked before measuring began is not measured.
    if (this.#counts(slot)) {
      this.#latencies.add(performance.now() - slot.from);
      this.#answers++;
      this.#bytes += bytes;
      slot.answers++;
    }
    slot.sent = 0;
    this.#next(slot);
  }

  #failed(slot: Slot, { failure }: Failed): void {
    if (this.#phase === "done") return;
    if (this.#counts(slot)) {
      this.#count(failure);
      if (failure === "late" || failure === "lost") {
        this.#latencies.add(performance.now() - slot.from);
      }
    }
    slot.sent = 0;
    const { line } = slot;
    if (line?.survives && (failure === "late" || failure === "lost")) return this.#next(slot);
    if (!line?.survives) {
      line?.close();
      slot.line = undefined;
    }
    if (!this.#running()) return this.#check();
    // Whatever else it is would come again at once.
    slot.rests = true;
    this.#later(() => {
      slot.rests = false;
      if (slot.line) this.#next(slot);
      else this.#mend(slot);
    }, firstPause);
  }

  async #mend(slot: Slot): Promise<void> {
    await this.#reopen(slot);
    if (slot.line) this.#next(slot);
    else if (this.#running()) {
      this.#later(() => this.#mend(slot), slot.pause);
      slot.pause = Math.min(slot.pause * 2, longestPause);
    }
  }

  async #reopen(slot: Slot): Promise<void> {
    try {
      const line = await this.#open();
      if (this.#phase === "done") line.close();
      else slot.line = line;
      slot.pause = firstPause;
    } catch (cause) {
      const error = failed(cause);
      if (error.failure === "descriptors" && this.#phase === "opening") throw this.#hopeless(error);
      this.#count(error.failure);
      if (this.#phase === "opening") this.#later(() => this.#mend(slot), firstPause);
    }
  }

  #counts(slot: Slot): boolean {
    return this.#began !== 0 && slot.from >= this.#began;
  }

  #count(failure: Failure): void {
    this.#failures[failure] = (this.#failures[failure] ?? 0) + 1;
  }

  #sweep(): void {
    const late = performance.now() - this.#options.timeout;
    for (const { line, sent } of this.#slots) if (sent !== 0 && sent < late) line?.cut();
  }

  /** Ends the wait early when all that was to be asked is answered. */
  #check(): void {
    const { requests = Infinity, rate } = this.#options;
    const asked = rate === undefined ? this.#asked : this.#released;
    const over = this.#phase === "last answers" || this.#phase === "measuring" && asked >= requests;
    if (!over || this.#slots.some(({ sent }) => sent !== 0)) return;
    const owing = ({ due, begun, line }: Slot) => line && begun < due;
    if (this.#phase === "measuring" && rate !== undefined && this.#slots.some(owing)) return;
    this.#wake();
  }

  /** What is still on its way, or was due and could not be sent, has taken this long at least. */
  #giveUp(): void {
    const now = performance.now();
    const { connections, rate, signal } = this.#options;
    for (const slot of this.#slots) {
      if (slot.sent !== 0 && this.#counts(slot) && !signal.aborted) {
        this.#count("late");
        this.#latencies.add(now - slot.from);
      }
      if (rate === undefined || this.#began === 0) continue;
      for (; slot.begun < slot.due; slot.begun++) {
        this.#count("unsent");
        this.#latencies.add(now - this.#pacer!.due(slot.number + slot.begun * connections));
      }
    }
  }

  #hopeless({ failure, cause }: Failed): BargeError {
    const facts = { op: "connect", cause };
    if (failure === "descriptors") {
      return new BargeError("unavailable", "too few file descriptors for so many connections", {
        ...facts,
        hint: `\`ulimit -n ${this.#options.connections + 256}\` allows them`,
      });
    }
    const why = {
      ...{ refused: "nothing listens there", name: "there is no such host" },
      late: "no answer in time",
    }[failure as string];
    const words = cause instanceof Error
      ? cause.message.replace(/ \(os error \d+\).*/, "")
      : failure;
    return new BargeError("unavailable", why ?? words, facts);
  }

  #later(work: () => void, ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }

  /** Waits so many ms, or until it is woken. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
      this.#check();
    });
  }
}
