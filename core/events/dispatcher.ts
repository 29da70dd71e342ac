/**
 * Delivers the events of one target: in order for each path, several at once, again after failures.
 *
 *   not leading -> leading: (reads new events, starts those that may run, deletes the delivered ones)*
 *               <- another server has the lead, or storage does not answer
 *
 *   an event: waiting -> running -> delivered: deleted in storage
 *                ^          |  \-> refused: deleted, counted
 *                \----------/ failed: waits for its next attempt
 *
 * An event starts when no earlier event that touches its paths waits or runs. A crash between a delivery and its
 * deletion delivers the event again. If the target itself fails, no event starts for a while; then one event
 * after the other tests it, until one succeeds.
 *
 * The waiting events are held in memory without their facts. Beyond a number or an age the oldest ones are
 * dropped, so that a target which is gone fills neither memory nor disk. No change of a client waits for this.
 */
import { getLogger } from "@logtape/logtape";
import { backoff } from "../outbound/retry.ts";
import { reached } from "../storage/fault.ts";
import type { EventStore, WaitingEvent } from "../storage/events.ts";
import type { Deliver, Delivery } from "./delivery.ts";
import { beyondLimits, type EventLimits } from "./limits.ts";
import { TouchedPaths } from "./touched_paths.ts";

const log = getLogger(["barge", "events"]);

/** The time between two looks for new events without a notice, in ms. */
const pollMs = 1_000;
/** The least time that notices are gathered, in ms: their transactions are not committed yet. */
const minGatherMs = 10;
const gatherMsPerEvent = 0.001;
/** The time until another look after a notice, in ms. */
const noticedMs = 100;
/** The time between two renewals of the lead, and the least time left of it to start an event, in ms. */
const renewMs = 3_000;
const leadReserveMs = 2_000;
const pageEvents = 1_000;
/** The longest pause of a target that fails, and the longest delay of an event that failed with it, in ms. */
const maxPauseMs = 30_000;
const maxTargetDelayMs = 120_000;
/** The longest delay of another event that failed, in ms. */
const maxDelayMs = 3_600_000;

export interface DispatcherOptions {
  readonly target: string;
  readonly store: EventStore;
  readonly deliver: Deliver;
  /** Identifies this start of the server. */
  readonly server: string;
  /** The most deliveries at once. */
  readonly jobs: number;
  readonly limits: EventLimits;
  /** Called after each change of {@link Dispatcher.state}. */
  readonly onChange?: () => void;
}

/** The counts of a target, for metrics. */
export interface DispatcherState {
  /** Whether this server delivers the events of the target. The next three are of such a server. */
  readonly leads: boolean;
  readonly waiting: number;
  readonly failing: number;
  /** When the oldest waiting event happened, in ms since 1970; undefined for none. */
  readonly oldest: number | undefined;
  /** The numbers of delivered events, failed attempts and dropped events since the start. */
  readonly delivered: number;
  readonly failures: number;
  readonly dropped: number;
}

/** An event in memory. Times are as of performance.now(). */
interface Entry {
  readonly id: number;
  readonly places: readonly string[];
  readonly at: number;
  attempts: number;
  due: number;
  /** `done`: to be deleted in storage; it holds up no other event. */
  state: "waiting" | "running" | "done";
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  /** All events that storage had, by id, also those that are done until they are deleted there. */
  readonly #entries = new Map<number, Entry>();
  /** The entries in the order of their ids. */
  #order: Entry[] = [];
  /** No unknown event has an id up to this one. */
  #settled = 0;
  #leadUntil = -Infinity;
  #renewAt = -Infinity;
  #generation: number | undefined;
  readonly #running = new Set<Promise<void>>();
  #failed: { id: number; inMs: number; error: string }[] = [];
  #pausedUntil = -Infinity;
  /** The number of failures of the target since its last success. */
  #targetFailures = 0;
  #ticking: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #nextTickAt = Infinity;
  /** Whether events were written whose transaction may not have been committed at the last tick. */
  #noticed = false;
  readonly #stop = new AbortController();
  #stopping = false;
  #storeFails = false;
  #counts = { delivered: 0, failures: 0, dropped: 0 };

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Begins to deliver. Call it once. */
  start(): void {
    this.#tickIn(0);
  }

  /** Notes that events were written. */
  wake(): void {
    this.#noticed = true;
    this.#tickIn(this.#gatherMs);
  }

  get state(): DispatcherState {
    const waiting = this.#order.filter(({ state }) => state !== "done");
    return {
      leads: this.#leads,
      waiting: waiting.length,
      failing: waiting.filter(({ attempts }) => attempts > 0).length,
      oldest: waiting[0]?.at,
      ...this.#counts,
    };
  }

  /**
   * Delivers the events that are due, for at most `graceMs`, then cancels the deliveries under way. Canceled
   * ones are tried again at the next start.
   */
  async stop(graceMs: number): Promise<void> {
    const deadline = setTimeout(() => this.#stop.abort(), graceMs);
    this.#stopping = true;
    clearTimeout(this.#timer);
    do {
      if (this.#running.size > 0) await Promise.race(this.#running);
      await this.#ticking;
      await this.#tick();
    } while (this.#running.size > 0);
    clearTimeout(deadline);
    if (!this.#leads) return;
    const { store, target, server } = this.#options;
    await this.#attempt(() => store.resign(target, server));
  }

  get #leads(): boolean {
    return performance.now() < this.#leadUntil;
  }

  /** The time that notices and outcomes are gathered, in ms: a tick looks at every waiting event. */
  get #gatherMs(): number {
    return minGatherMs + this.#order.length * gatherMsPerEvent;
  }

  /** Sets the timer of the next tick, unless it ends sooner already. */
  #tickIn(ms: number): void {
    const at = performance.now() + ms;
    if (this.#stopping || at >= this.#nextTickAt) return;
    clearTimeout(this.#timer);
    this.#nextTickAt = at;
    this.#timer = setTimeout(() => {
      this.#nextTickAt = Infinity;
      void this.#tick();
    }, ms);
  }

  /** Brings memory and storage in line, then starts events. One call at a time. */
  #tick(): Promise<void> {
    return this.#ticking ??= this.#tickOnce().finally(() => {
      this.#ticking = undefined;
      this.#tickIn(this.#nextTickMs());
    });
  }

  async #tickOnce(): Promise<void> {
    await this.#attempt(async () => {
      await this.#flush();
      await this.#renewLead();
      if (!this.#leads) return this.#forget();
      await this.#read();
      await this.#flush();
    });
    this.#startDue();
    this.#options.onChange?.();
  }

  #nextTickMs(): number {
    const now = performance.now();
    let next = now + (this.#noticed ? noticedMs : pollMs);
    this.#noticed = false;
    for (const { state, due } of this.#order) {
      if (state === "waiting" && due > now) next = Math.min(next, due);
    }
    if (this.#pausedUntil > now) next = Math.min(next, this.#pausedUntil);
    return Math.max(1, next - now);
  }

  /** Runs work on storage, and logs the first of several failures. @returns whether it succeeded */
  async #attempt(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      this.#storeFails = false;
      return true;
    } catch (error) {
      if (!this.#storeFails) {
        log.warn("can't read or delete the events for {target}: {why}", {
          target: this.#options.target,
          why: `${error}`,
        });
      }
      this.#storeFails = true;
      return false;
    }
  }

  async #renewLead(): Promise<void> {
    const { store, target, server } = this.#options;
    const now = performance.now();
    if (now < this.#renewAt && Number.isFinite(this.#leadUntil)) return;
    const lead = await store.lead(target, server);
    this.#leadUntil = lead ? now + lead.validMs : -Infinity;
    this.#renewAt = now + renewMs;
    if (!lead || lead.generation === this.#generation) return;
    // An operator has retried or dropped events.
    this.#generation = lead.generation;
    this.#forget();
    this.#pausedUntil = -Infinity;
  }

  /** Forgets the events that neither run nor wait for their deletion. */
  #forget(): void {
    for (const [id, { state }] of this.#entries) if (state === "waiting") this.#entries.delete(id);
    this.#sort();
    this.#settled = 0;
  }

  async #read(): Promise<void> {
    const { store, target, limits } = this.#options;
    let settled = this.#settled;
    for (let after = settled;;) {
      const page = await store.waiting(target, after, pageEvents);
      if (settled === after) settled = page.settled;
      this.#enter(page.events);
      this.#dropBeyond(limits);
      if (page.events.length < pageEvents) break;
      after = page.events.at(-1)!.id;
    }
    this.#settled = settled;
  }

  #enter(events: readonly WaitingEvent[]): void {
    const now = performance.now();
    let inOrder = true;
    for (const { id, places, at, attempts, dueInMs } of events) {
      if (this.#entries.has(id)) continue;
      const entry: Entry = { id, places, at, attempts, due: now + dueInMs, state: "waiting" };
      this.#entries.set(id, entry);
      inOrder &&= id > (this.#order.at(-1)?.id ?? 0);
      this.#order.push(entry);
    }
    if (!inOrder) this.#sort();
  }

  #sort(): void {
    this.#order = [...this.#entries.values()].sort((a, b) => a.id - b.id);
  }

  /** Drops the oldest events beyond the limits. */
  #dropBeyond(limits: EventLimits): void {
    const waiting = this.#order.filter(({ state }) => state === "waiting");
    for (const { events, why } of beyondLimits(waiting, limits)) this.#drop(events, why);
  }

  #drop(entries: readonly Entry[], why: string): void {
    for (const entry of entries) entry.state = "done";
    this.#counts.dropped += entries.length;
    const { target } = this.#options;
    log.warn("dropped {count} events for {target}: {why}", { count: entries.length, target, why });
  }

  /** Starts the events that may run now. */
  #startDue(): void {
    const now = performance.now();
    if (now < this.#pausedUntil || now > this.#leadUntil - leadReserveMs) return;
    if (this.#stop.signal.aborted) return;
    const jobs = this.#targetFailures > 0 ? 1 : this.#options.jobs;
    const touched = new TouchedPaths();
    for (const entry of this.#order) {
      if (this.#running.size >= jobs) return;
      if (entry.state === "done") continue;
      if (entry.state === "waiting" && entry.due <= now && !touched.meet(entry.places)) {
        this.#start(entry);
      }
      touched.add(entry.places);
    }
  }

  #start(entry: Entry): void {
    entry.state = "running";
    const running = this.#run(entry).finally(() => {
      this.#running.delete(running);
      if (entry.state === "running") entry.state = "waiting";
      this.#startDue();
      this.#tickIn(this.#gatherMs);
    });
    this.#running.add(running);
  }

  /** Makes one attempt. Never rejects. */
  async #run(entry: Entry): Promise<void> {
    const { store, deliver } = this.#options;
    let facts: string | undefined;
    if (!await this.#attempt(async () => facts = await store.facts(entry.id))) {
      return void (entry.due = performance.now() + pollMs);
    }
    if (facts === undefined) return void (entry.state = "done"); // an operator has dropped it
    let delivery: Delivery;
    try {
      delivery = await deliver({ id: `${entry.at}-${entry.id}`, facts }, this.#stop.signal);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      delivery = { outcome: "failed", why: `${error}`, fault: "target" };
    }
    if (delivery.outcome === "failed") return this.#postpone(entry, delivery);
    this.#targetFailures = 0;
    if (delivery.outcome === "refused") return this.#drop([entry], delivery.why);
    reached("delivered");
    entry.state = "done";
    this.#counts.delivered++;
  }

  #postpone(entry: Entry, failure: Extract<Delivery, { outcome: "failed" }>): void {
    const { why, fault, retryAfterMs } = failure;
    const ofTarget = fault === "target";
    entry.attempts++;
    const delay = backoff(entry.attempts, ofTarget ? maxTargetDelayMs : maxDelayMs);
    const inMs = Math.max(delay, retryAfterMs ?? 0);
    const now = performance.now();
    entry.due = now + inMs;
    this.#counts.failures++;
    this.#failed.push({ id: entry.id, inMs, error: why.slice(0, 1000) });
    if (ofTarget) {
      this.#targetFailures++;
      const pause = retryAfterMs ?? backoff(this.#targetFailures, maxPauseMs);
      this.#pausedUntil = Math.max(this.#pausedUntil, now + pause);
    }
    log.warn("{target} did not take event {id}: {why}; the next attempt is in {seconds} s", {
      target: this.#options.target,
      id: entry.id,
      why,
      seconds: Math.round(inMs / 100) / 10,
    });
  }

  /** Writes outcomes to storage. A failure leaves them for the next call. */
  async #flush(): Promise<void> {
    const { store } = this.#options;
    const failed = this.#failed.splice(0);
    try {
      if (failed.length > 0) await store.postpone(failed);
    } catch (error) {
      this.#failed.unshift(...failed);
      throw error;
    }
    const done = this.#order.filter(({ state }) => state === "done");
    if (done.length === 0) return;
    await store.remove(done.map(({ id }) => id));
    for (const { id } of done) this.#entries.delete(id);
    this.#order = this.#order.filter(({ state, id }) => state !== "done" || this.#entries.has(id));
  }
}
