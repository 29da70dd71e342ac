/** The parts of storage that many machines share: the database, and the bucket. */
import type { Bucket } from "./bucket.ts";
import type { Objects } from "./objects.ts";
import type { Packs } from "./packs.ts";
import type { Postgres } from "./postgres.ts";
import type { Secrets } from "./secrets.ts";

export interface Parts {
  readonly db: Postgres;
  readonly bucket: Bucket;
  readonly packs: Packs;
  readonly objects: Objects;
  readonly secrets: Secrets;
  /** Begins the marks of all upload holders of this process; no other process's begin so. */
  readonly startId: string;
}
