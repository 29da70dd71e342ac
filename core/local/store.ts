/** All that one isolate needs of a data directory, opened once. */
import { randomUUID } from "node:crypto";
import { Accounts } from "./account/accounts.ts";
import { Bans } from "./account/bans.ts";
import { Credentials } from "./account/credential.ts";
import { Database } from "./database/database.ts";
import { FinishedUploads } from "./ledger/finished_uploads.ts";
import { Folders } from "./ledger/folders.ts";
import { Intents } from "./ledger/intent.ts";
import { Keys } from "./account/keys.ts";
import { Ledger } from "./ledger/ledger.ts";
import { Locks } from "./ledger/locks.ts";
import { Properties } from "./ledger/properties.ts";
import { Registrations } from "./account/registrations.ts";
import { Reservations } from "./ledger/reservation.ts";
import { Shares } from "./account/shares.ts";
import { Tokens } from "./account/tokens.ts";
import { UploadsAt } from "./ledger/uploads_at.ts";
import { WebSessions } from "./account/web_sessions.ts";
import { Fences } from "./vault/fences.ts";
import { Vault } from "./vault/vault.ts";
import type { AccountStore } from "../storage/accounts.ts";
import type { LoginStore } from "../storage/logins.ts";
import type { LockStore } from "../storage/locks.ts";
import type { PropertyStore } from "../storage/properties.ts";
import type { ShareStore } from "../storage/shares.ts";
import type { Tree } from "../storage/tree.ts";
import { LocalAccounts } from "./accounts.ts";
import { LocalLogins } from "./logins.ts";
import { LocalLocks } from "./locks.ts";
import { LocalProperties } from "./properties.ts";
import { LocalShares } from "./shares.ts";
import { LocalTree } from "./tree.ts";
import { Commits } from "./commit.ts";
import type { Parts } from "./parts.ts";
import { LocalUploads } from "./uploads.ts";
import type { Uploads } from "../storage/uploads.ts";
import { History } from "../watch/history.ts";
import { type Board, Metrics } from "../watch/metrics.ts";
import { defaultLimits, Gate, type Tally } from "../watch/gate.ts";
import type { Hooks } from "../watch/hooks.ts";
import { LiveLogins } from "../watch/live_logins.ts";
import { Rate } from "../watch/rate.ts";
import type { Adjustable } from "../watch/settings.ts";
import { Roster } from "../watch/roster.ts";

/** The operator's settings: plain data, so that they can be posted to a worker. */
export interface Settings extends Adjustable {
  /** The data directory. */
  readonly data: string;
  readonly durability: "full" | "relaxed";
  /** May strangers make themselves an account? */
  readonly allowRegister: boolean;
  /** Where the workers count connections together. Default: this isolate counts for itself. */
  readonly tally?: Tally;
  /** And what they have done. Default: as with the tally. */
  readonly board?: Board;
  /** And what they moved in the last hours; somebody has to sample it. */
  readonly history?: SharedArrayBuffer;
  /** And bound their derivations of passwords; the worker takes it (enter.ts). */
  readonly derivations?: SharedArrayBuffer;
  /** Where they keep each other from writing on to uploads that were taken over. */
  readonly fences?: SharedArrayBuffer;
  /** The program's own, to be shown to admins. */
  readonly version?: string;
}

export class Store implements Parts, Disposable {
  readonly db: Database;
  readonly accounts: Accounts;
  readonly credentials: Credentials;
  readonly tokens: Tokens;
  readonly webSessions: WebSessions;
  readonly shares: Shares;
  readonly keys: Keys;
  readonly bans: Bans;
  readonly registrations: Registrations;
  readonly ledger: Ledger;
  readonly folders: Folders;
  readonly reservations: Reservations;
  readonly uploadsAt: UploadsAt;
  readonly finishedUploads: FinishedUploads;
  readonly intents: Intents;
  readonly properties: Properties;
  readonly locks: Locks;
  readonly vault: Vault;
  readonly fences: Fences;
  /** Begins the marks of all upload holders in this isolate; no other isolate's begin so. */
  readonly life: string;
  readonly commits: Commits;
  /** The parts of storage that logins, accounts and share links ask. */
  readonly people: {
    readonly logins: LoginStore;
    readonly accounts: AccountStore;
    readonly shares: ShareStore;
  };
  readonly uploads: Uploads;
  readonly tree: Tree;
  /** Records that WebDAV clients attach to files and folders. */
  readonly attached: { readonly locks: LockStore; readonly properties: PropertyStore };
  readonly gate: Gate;
  /** The logins of this isolate; each is cut off when the secret that it began with is gone. */
  readonly live: LiveLogins;
  readonly hooks: Hooks;
  readonly metrics: Metrics;
  readonly history: History;
  readonly roster: Roster;
  #settings: Settings;
  #rates: { readonly up: Rate | undefined; readonly down: Rate | undefined };

  /**
   * @param worker which of those that share the tally this isolate is, from 0
   * @param hooks who is told of uploads, and asked about them
   * @param life names this isolate's uploads, for who settles them when it has died; by default anything
   * @throws {BargeError} as Database and Vault do
   */
  constructor(settings: Settings, worker = 0, hooks: Hooks = {}, life: string = randomUUID()) {
    const { data, durability } = settings;
    this.#settings = settings;
    this.db = new Database(data, { durability });
    this.accounts = new Accounts(this.db);
    this.credentials = new Credentials(this.db);
    this.tokens = new Tokens(this.db);
    this.webSessions = new WebSessions(this.db);
    this.shares = new Shares(this.db);
    this.keys = new Keys(this.db);
    this.bans = new Bans(this.db, settings.banAfter);
    this.registrations = new Registrations(this.db);
    this.ledger = new Ledger(this.db);
    this.folders = new Folders(this.db);
    this.reservations = new Reservations(this.db, this.ledger);
    this.uploadsAt = new UploadsAt(this.db);
    this.finishedUploads = new FinishedUploads(this.db);
    this.intents = new Intents(this.db);
    this.properties = new Properties(this.db);
    this.locks = new Locks(this.db);
    this.vault = new Vault(data, durability === "full");
    this.fences = new Fences(worker, settings.fences);
    this.life = life;
    this.commits = new Commits(this);
    this.people = {
      logins: new LocalLogins(this),
      accounts: new LocalAccounts(this),
      shares: new LocalShares(this),
    };
    this.uploads = new LocalUploads(this);
    this.tree = new LocalTree(this, this.commits);
    this.attached = {
      locks: new LocalLocks(this, this.commits),
      properties: new LocalProperties(this, this.commits),
    };
    this.hooks = hooks;
    this.gate = new Gate(settings.limits ?? defaultLimits, worker, settings.tally);
    this.live = new LiveLogins(this.people.logins);
    this.metrics = new Metrics(worker, settings.board);
    this.history = new History(settings.history);
    this.roster = new Roster(this.metrics);
    const { rateUp, rateDown } = settings;
    this.#rates = { up: this.#rate(rateUp), down: this.#rate(rateDown) };
  }

  /** As they are now. */
  get settings(): Settings {
    return this.#settings;
  }

  get rates(): { readonly up: Rate | undefined; readonly down: Rate | undefined } {
    return this.#rates;
  }

  /** Other limits from here on. Who is connected stays so, at the new rates. */
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
