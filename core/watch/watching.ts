/** The counts and limits of one isolate that serves. Storage is added by the classes that extend it. */
import { defaultLimits, Gate } from "./gate.ts";
import { History } from "./history.ts";
import type { Hooks } from "./hooks.ts";
import { Metrics } from "./metrics.ts";
import { Rate } from "./rate.ts";
import { Roster } from "./roster.ts";
import type { Adjustable, ServiceSettings, WorkerTables } from "./settings.ts";

interface Rates {
  readonly up: Rate | undefined;
  readonly down: Rate | undefined;
}

export class Watching<Settings extends ServiceSettings & WorkerTables> {
  readonly gate: Gate;
  readonly hooks: Hooks;
  readonly metrics: Metrics;
  readonly history: History;
  readonly roster: Roster;
  #settings: Settings;
  #rates: Rates;

  /**
   * @param worker the index of this isolate among those that share the tables, from 0
   * @param hooks programs that decide about uploads, or are notified of them
   */
  constructor(settings: Settings, worker: number, hooks: Hooks) {
    this.#settings = settings;
    this.hooks = hooks;
    this.gate = new Gate(settings.limits ?? defaultLimits, worker, settings.tally);
    this.metrics = new Metrics(worker, settings.sharedCounts);
    this.history = new History(settings.history);
    this.roster = new Roster(this.metrics);
    this.#rates = { up: this.#rate(settings.rateUp), down: this.#rate(settings.rateDown) };
  }

  get settings(): Settings {
    return this.#settings;
  }

  get rates(): Rates {
    return this.#rates;
  }

  /** Changes the limits. Connections stay open, and continue at the new rates. */
  adjust(limits: Adjustable): void {
    const { rateUp, rateDown } = this.#settings;
    this.#settings = { ...this.#settings, ...limits };
    this.gate.limits = limits.limits ?? defaultLimits;
    this.#rates = {
      up: limits.rateUp === rateUp ? this.#rates.up : this.#rate(limits.rateUp),
      down: limits.rateDown === rateDown ? this.#rates.down : this.#rate(limits.rateDown),
    };
  }

  #rate(perSecond: number | null | undefined): Rate | undefined {
    return perSecond ? new Rate(perSecond, (account) => this.gate.share(account)) : undefined;
  }
}
