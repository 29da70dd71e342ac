/** Storage that many machines share, opened: PostgreSQL for names and accounts, a bucket for bytes. */
import { randomUUID } from "node:crypto";
import { SharedAccounts } from "./accounts.ts";
import { Bucket, type BucketOptions } from "./bucket.ts";
import { SharedLocks } from "./locks.ts";
import { SharedLogins } from "./logins.ts";
import { Objects } from "./objects.ts";
import { Packs } from "./packs.ts";
import type { Parts } from "./parts.ts";
import { Postgres, type PostgresOptions } from "./postgres.ts";
import { SharedProperties } from "./properties.ts";
import { Secrets } from "./secrets.ts";
import { SharedShares } from "./shares.ts";
import { SharedTree } from "./tree.ts";
import { SharedUploads } from "./uploads.ts";

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
    readonly shares: SharedShares;
  };
  readonly tree: SharedTree;
  readonly uploads: SharedUploads;
  readonly attached: { readonly locks: SharedLocks; readonly properties: SharedProperties };

  /**
   * @param banAfter returns the number of failures in an hour that is followed by a ban; 0: never
   * @param startId begins the marks of all upload holders of this process; no other process's begin so
   */
  constructor(options: SharedOptions, banAfter: () => number, startId: string = randomUUID()) {
    const db = new Postgres(options.postgres);
    const bucket = new Bucket(options.bucket);
    const parts = this.parts = {
      db,
      bucket,
      packs: new Packs(bucket),
      objects: new Objects(db),
      secrets: new Secrets(db, options.key),
      startId,
    };
    this.people = {
      logins: new SharedLogins(parts, banAfter),
      accounts: new SharedAccounts(parts),
      shares: new SharedShares(parts),
    };
    this.tree = new SharedTree(parts);
    this.uploads = new SharedUploads(parts);
    this.attached = { locks: new SharedLocks(parts), properties: new SharedProperties(parts) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.parts.bucket[Symbol.dispose]();
    await this.parts.db[Symbol.asyncDispose]();
  }
}
