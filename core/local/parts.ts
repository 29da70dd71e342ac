/** The parts of storage on one machine: the tables of its database, and its disk. */
import type { Accounts } from "./account/accounts.ts";
import type { Bans } from "./account/bans.ts";
import type { Credentials } from "./account/credential.ts";
import type { Database } from "./database/database.ts";
import type { FinishedUploads } from "./ledger/finished_uploads.ts";
import type { Folders } from "./ledger/folders.ts";
import type { Intents } from "./ledger/intent.ts";
import type { Keys } from "./account/keys.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { Locks } from "./ledger/locks.ts";
import type { Properties } from "./ledger/properties.ts";
import type { Registrations } from "./account/registrations.ts";
import type { Reservations } from "./ledger/reservation.ts";
import type { Shares } from "./account/shares.ts";
import type { Tokens } from "./account/tokens.ts";
import type { UploadsAt } from "./ledger/uploads_at.ts";
import type { WebSessions } from "./account/web_sessions.ts";
import type { Fences } from "./vault/fences.ts";
import type { Vault } from "./vault/vault.ts";

export interface Parts {
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
}
