/** The parts of storage on one machine: the disk, the tables of the database, the counts and limits. */
import { Accounts } from "./account/accounts.ts";
import { Audit } from "./account/audit.ts";
import { Bans } from "./account/bans.ts";
import { Credentials } from "./account/credential.ts";
import { Keys } from "./account/keys.ts";
import { Registrations } from "./account/registrations.ts";
import { Shares } from "./account/shares.ts";
import { Tokens } from "./account/tokens.ts";
import { WebSessions } from "./account/web_sessions.ts";
import { Database } from "./database/database.ts";
import { FinishedUploads } from "./ledger/finished_uploads.ts";
import { Folders } from "./ledger/folders.ts";
import { Intents } from "./ledger/intent.ts";
import { Ledger } from "./ledger/ledger.ts";
import { Locks } from "./ledger/locks.ts";
import { Outbox } from "./ledger/outbox.ts";
import { Properties } from "./ledger/properties.ts";
import { Reservations } from "./ledger/reservation.ts";
import { UploadsAt } from "./ledger/uploads_at.ts";
import type { Hooks } from "../watch/hooks.ts";
import type { ServiceSettings, WorkerTables } from "../watch/settings.ts";
import { Watching } from "../watch/watching.ts";
import { Fences } from "./vault/fences.ts";
import { Vault } from "./vault/vault.ts";

/** The settings of the disk and the database. */
export interface DataSettings {
  /** The data directory. */
  readonly data: string;
  /** `relaxed`: a power cut may undo the last changes. */
  readonly durability: "full" | "relaxed";
  /** The table of fences that all workers share. Default: a table that only this isolate uses. */
  readonly fences?: SharedArrayBuffer;
}

/** The operator's settings: plain data, so that they can be posted to a worker. */
export interface Settings extends ServiceSettings, WorkerTables, DataSettings {}

class DataDirectory extends Watching<Settings> {
  readonly db: Database;
  readonly vault: Vault;
  readonly fences: Fences;
  /** The unique name of this isolate, with which the names of its uploads' holders begin. */
  readonly startId: string;

  constructor(settings: Settings, worker: number, hooks: Hooks, startId: string) {
    super(settings, worker, hooks);
    const { data, durability, fences } = settings;
    this.db = new Database(data, { durability });
    this.vault = new Vault(data, durability === "full");
    this.fences = new Fences(worker, fences);
    this.startId = startId;
  }
}

/** The data directory with its tables. They are fields of a subclass, so that `db` is set before them. */
export class Parts extends DataDirectory {
  readonly outbox: Outbox = new Outbox(this.db, this.settings.events, this.hooks.eventsWritten);
  readonly accounts: Accounts = new Accounts(this.db, this.outbox);
  readonly audit = new Audit(this.db);
  readonly credentials = new Credentials(this.db);
  readonly tokens = new Tokens(this.db);
  readonly webSessions = new WebSessions(this.db);
  readonly shares = new Shares(this.db);
  readonly keys = new Keys(this.db);
  readonly bans: Bans = new Bans(this.db, undefined, undefined, this.outbox);
  readonly registrations = new Registrations(this.db);
  readonly ledger = new Ledger(this.db);
  readonly folders = new Folders(this.db);
  readonly reservations = new Reservations(this.db, this.ledger);
  readonly uploadsAt = new UploadsAt(this.db);
  readonly finishedUploads = new FinishedUploads(this.db);
  readonly intents = new Intents(this.db);
  readonly properties = new Properties(this.db);
  readonly locks = new Locks(this.db);
}
