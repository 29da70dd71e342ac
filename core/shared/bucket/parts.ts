/** The parts of storage that many machines share: the database, and the bucket. */
import type { Bucket } from "./bucket.ts";
import type { Objects } from "./objects.ts";
import type { Packs } from "./packs.ts";
import type { SharedOutbox } from "../database/outbox.ts";
import type { Postgres } from "../database/postgres.ts";
import type { Secrets } from "../database/secrets.ts";

export interface Parts {
  readonly db: Postgres;
  readonly bucket: Bucket;
  readonly packs: Packs;
  readonly objects: Objects;
  readonly secrets: Secrets;
  readonly outbox: SharedOutbox;
  /** The prefix of the names of all upload holders of this process. No other process uses it. */
  readonly startId: string;
}
