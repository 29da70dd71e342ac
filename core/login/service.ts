/** The server as doors, logins, uploads and verbs see it: storage, and the counts and limits of watch/. */
import type { AccountStore } from "../storage/accounts.ts";
import type { AcmeRecords } from "../storage/acme.ts";
import type { AuditStore } from "../storage/audit/audit.ts";
import type { FactorStore } from "../storage/factors.ts";
import type { LockStore } from "../storage/locks.ts";
import type { LoginStore } from "../storage/logins.ts";
import type { PropertyStore } from "../storage/properties.ts";
import type { ShareStore } from "../storage/shares.ts";
import type { Tree } from "../storage/tree.ts";
import type { Uploads } from "../storage/uploads.ts";
import type { Gate } from "../watch/gate.ts";
import type { History } from "../watch/history.ts";
import type { Hooks } from "../watch/hooks.ts";
import type { LiveLogins } from "../watch/live_logins.ts";
import type { Metrics } from "../watch/metrics.ts";
import type { NodeList } from "../watch/nodes.ts";
import type { Rate } from "../watch/rate.ts";
import type { Roster } from "../watch/roster.ts";
import type { ServiceSettings } from "../watch/settings.ts";

export interface Service {
  readonly people: {
    readonly logins: LoginStore;
    readonly accounts: AccountStore;
    readonly factors: FactorStore;
    readonly shares: ShareStore;
    readonly audit: AuditStore;
  };
  readonly tree: Tree;
  readonly uploads: Uploads;
  /** Records that WebDAV clients attach to files and folders. */
  readonly attached: { readonly locks: LockStore; readonly properties: PropertyStore };
  /** The records of certificates by ACME. */
  readonly acme: AcmeRecords;
  readonly settings: ServiceSettings;
  readonly gate: Gate;
  /** The logins of this worker; each is cut off when the secret that it rests on is gone. */
  readonly live: LiveLogins;
  readonly hooks: Hooks;
  readonly metrics: Metrics;
  readonly history: History;
  readonly roster: Roster;
  /** The nodes that share the storage; absent on one machine. */
  readonly nodes?: NodeList;
  readonly rates: { readonly up: Rate | undefined; readonly down: Rate | undefined };
}
