/** Storage on one machine, and the counts and limits of the isolate that uses it. */
import { randomUUID } from "node:crypto";
import { defaultLimits, Gate, type Tally } from "../watch/gate.ts";
import { History } from "../watch/history.ts";
import type { Hooks } from "../watch/hooks.ts";
import { LiveLogins } from "../watch/live_logins.ts";
import { type Board, Metrics } from "../watch/metrics.ts";
import { Rate } from "../watch/rate.ts";
import { Roster } from "../watch/roster.ts";
import type { Adjustable, ServiceSettings } from "../watch/settings.ts";
import { localAccounts } from "./accounts.ts";
import { Commits } from "./commit.ts";
import { localLocks } from "./locks.ts";
import { localLogins } from "./logins.ts";
import { type DataSettings, Parts } from "./parts.ts";
import { localProperties } from "./properties.ts";
import { localShares } from "./shares.ts";
import { localTree } from "./tree.ts";
import { localUploads } from "./uploads.ts";

/**
 * The operator's settings: plain data, so that they can be posted to a worker. Workers share the
 * memory of the last four; by default this isolate has its own.
 */
export interface Settings extends ServiceSettings, DataSettings {
  /** The counts of connections. */
  readonly tally?: Tally;
  /** The counts of requests and bytes. */
  readonly board?: Board;
  /** The traffic of the last hours. The supervisor samples it. */
  readonly history?: SharedArrayBuffer;
  /** The bound on derivations of passwords: see core/login/derivations.ts. */
  readonly derivations?: SharedArrayBuffer;
}

interface Rates {
  readonly up: Rate | undefined;
  readonly down: Rate | undefined;
}

export class Store extends Parts implements Disposable {
  readonly commits: Commits = new Commits(this);
  readonly people = {
    logins: localLogins(this),
    accounts: localAccounts(this),
    shares: localShares(this),
  };
  readonly uploads = localUploads(this);
  readonly tree = localTree(this);
  /** Records that WebDAV clients attach to files and folders. */
  readonly attached = { locks: localLocks(this), properties: localProperties(this) };
  readonly gate: Gate;
  /** The logins of this isolate. Each is cut off when its credential has ended. */
  readonly live = new LiveLogins(this.people.logins);
  readonly hooks: Hooks;
  readonly metrics: Metrics;
  readonly history: History;
  readonly roster: Roster;
  #settings: Settings;
  #rates: Rates;

  /**
   * @param worker the index of this isolate among those that share the tally, from 0
   * @param hooks programs that decide about uploads, or are notified of them
   * @param life marks this isolate's uploads, so that they can be settled after its death
   * @throws {BargeError} as Database and Vault do
   */
  constructor(settings: Settings, worker = 0, hooks: Hooks = {}, life: string = randomUUID()) {
    super(settings, worker, life);
    this.#settings = settings;
    this.bans.adjust(settings.banAfter);
    this.hooks = hooks;
    this.gate = new Gate(settings.limits ?? defaultLimits, worker, settings.tally);
    this.metrics = new Metrics(worker, settings.board);
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
    this.bans.adjust(limits.banAfter);
    this.#rates = {
      up: limits.rateUp === rateUp ? this.#rates.up : this.#rate(limits.rateUp),
      down: limits.rateDown === rateDown ? this.#rates.down : this.#rate(limits.rateDown),
    };
  }

  [Symbol.dispose](): void {
    this.live[Symbol.dispose]();
    this.commits[Symbol.dispose]();
    this.db[Symbol.dispose]();
  }

  #rate(perSecond: number | null | undefined): Rate | undefined {
    return perSecond ? new Rate(perSecond, (account) => this.gate.share(account)) : undefined;
  }
}
