/** Storage that many machines share, opened: PostgreSQL for names and accounts, a bucket for bytes. */
import { randomUUID } from "node:crypto";
import { SharedAccounts } from "./people/accounts.ts";
import { SharedAudit } from "./people/audit.ts";
import { Bucket, type BucketOptions } from "./bucket/bucket.ts";
import { SharedFactors } from "./people/factors.ts";
import { SharedLocks } from "./tree/locks.ts";
import { SharedLogins } from "./people/logins.ts";
import { Objects } from "./bucket/objects.ts";
import { Packs } from "./bucket/packs.ts";
import type { Parts } from "./bucket/parts.ts";
import { SharedOutbox } from "./database/outbox.ts";
import { SharedEvents } from "./events.ts";
import { Postgres, type PostgresOptions } from "./database/postgres.ts";
import { SharedProperties } from "./tree/properties.ts";
import { Secrets } from "./database/secrets.ts";
import { SharedShares } from "./people/shares.ts";
import { SharedTree } from "./tree/tree.ts";
import { SharedUploads } from "./upload/uploads.ts";

/** Plain data, so that it can be posted to a worker. */
export interface SharedOptions {
  readonly postgres: PostgresOptions;
  readonly bucket: BucketOptions;
  /** The key of the cluster: 32 bytes. */
  readonly key: Uint8Array;
}

export class SharedStorage implements AsyncDisposable {
  readonly parts: Parts;
  readonly people: {
    readonly logins: SharedLogins;
    readonly accounts: SharedAccounts;
    readonly factors: SharedFactors;
    readonly shares: SharedShares;
    readonly audit: SharedAudit;
  };
  readonly tree: SharedTree;
  readonly uploads: SharedUploads;
  readonly attached: { readonly locks: SharedLocks; readonly properties: SharedProperties };
  readonly events: SharedEvents;

  /**
   * @param banAfter returns the number of failures in an hour that is followed by a ban; 0: never
   * @param startId the prefix of the names of all upload holders of this process; no other process uses it
   * @param outbox writes events. Default: for the targets of the nodes
   */
  constructor(
    options: SharedOptions,
    banAfter: () => number,
    startId: string = randomUUID(),
    outbox: SharedOutbox = new SharedOutbox(),
  ) {
    const db = new Postgres(options.postgres);
    const bucket = new Bucket(options.bucket);
    const parts = this.parts = {
      db,
      bucket,
      packs: new Packs(bucket),
      objects: new Objects(db),
      secrets: new Secrets(db, options.key),
      outbox,
      startId,
    };
    this.people = {
      logins: new SharedLogins(parts, banAfter),
      accounts: new SharedAccounts(parts),
      factors: new SharedFactors(parts),
      shares: new SharedShares(parts),
      audit: new SharedAudit(db),
    };
    this.tree = new SharedTree(parts);
    this.uploads = new SharedUploads(parts);
    this.events = new SharedEvents(db);
    this.attached = { locks: new SharedLocks(parts), properties: new SharedProperties(parts) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.people.audit[Symbol.asyncDispose]();
    this.parts.bucket[Symbol.dispose]();
    await this.parts.db[Symbol.asyncDispose]();
  }
}
