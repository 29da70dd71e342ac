/** Storage on one machine, with the counts and limits of the isolate that uses it. */
import { randomUUID } from "node:crypto";
import type { Hooks } from "../watch/hooks.ts";
import type { EventStore } from "../storage/events.ts";
import { LiveLogins } from "../watch/live_logins.ts";
import type { Adjustable } from "../watch/settings.ts";
import { AcmeFiles } from "./vault/acme_files.ts";
import { localAccounts } from "./accounts.ts";
import { localAudit } from "./audit.ts";
import { Commits } from "./commit.ts";
import { localEvents } from "./events.ts";
import { localFactors } from "./factors.ts";
import { localLocks } from "./locks.ts";
import { localLogins } from "./logins.ts";
import { Parts, type Settings } from "./parts.ts";
import { localProperties } from "./properties.ts";
import { localShares } from "./shares.ts";
import { localTree } from "./tree.ts";
import { localUploads } from "./uploads.ts";

export type { Settings };

export class Store extends Parts implements Disposable {
  readonly commits: Commits = new Commits(this);
  readonly people = {
    logins: localLogins(this),
    accounts: localAccounts(this),
    factors: localFactors(this),
    shares: localShares(this),
    audit: localAudit(this),
  };
  readonly uploads = localUploads(this);
  readonly tree = localTree(this);
  /** Records that WebDAV clients attach to files and folders. */
  readonly attached = { locks: localLocks(this), properties: localProperties(this) };
  readonly events: EventStore = localEvents(this);
  readonly acme: AcmeFiles = new AcmeFiles(this.settings.data);
  /** The logins of this isolate. Each is cut off when its credential has ended. */
  readonly live = new LiveLogins(this.people.logins);

  /**
   * @param worker the index of this isolate among those that share the tally, from 0
   * @param hooks programs that decide about uploads, or are notified of them
   * @param startId marks this isolate's uploads, so that they can be settled after its death
   * @throws {BargeError} as Database and Vault do
   */
  constructor(settings: Settings, worker = 0, hooks: Hooks = {}, startId: string = randomUUID()) {
    super(settings, worker, hooks, startId);
    this.bans.adjust(settings.banAfter);
  }

  override adjust(limits: Adjustable): void {
    super.adjust(limits);
    this.bans.adjust(limits.banAfter);
  }

  [Symbol.dispose](): void {
    this.live[Symbol.dispose]();
    this.people.audit[Symbol.dispose]();
    this.commits[Symbol.dispose]();
    this.db[Symbol.dispose]();
  }
}
