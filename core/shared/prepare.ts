/** Prepares the storage: its tables and its key, and checks that its bucket can be used. */
import { BargeError } from "../error.ts";
import type { Parts } from "./parts.ts";
import type { Postgres } from "./postgres.ts";
import { migrate, newestVersion } from "./schema.ts";

/**
 * Brings the storage to this version of barge, and makes it where it is new.
 *
 * @throws {BargeError} `unavailable`; `fatal` for credentials, a bucket, settings or a key that are wrong
 */
export async function prepare({ db, bucket, secrets }: Parts): Promise<void> {
  await bucket.check();
  await requireDurable(db);
  await migrate(db);
  await secrets.get("decoy"); // fails with another key
}

/**
 * Checks that the storage is of this version of barge, and changes nothing.
 *
 * @throws {BargeError} `unavailable`; `not-found` where it was never made; `fatal` for credentials or a key
 *   that are wrong, and for another version
 */
export async function requirePrepared({ db, secrets }: Parts): Promise<void> {
  const version = await versionOf(db);
  if (version === 0) {
    throw new BargeError("not-found", "there are no tables of barge in the database", {
      hint:
        "correct --store; or make them: with `barge serve`, or `barge user add NAME --admin`, and " +
        "the same options",
    });
  }
  if (version !== newestVersion) {
    const age = version < newestVersion ? "an older" : "a newer";
    throw new BargeError("fatal", `the database is of ${age} barge (version ${version})`, {
      hint: version < newestVersion
        ? "use that one, or start a node of this version"
        : "use that one",
    });
  }
  await secrets.find("decoy"); // fails with another key
}

/** Returns the version of the tables; 0 for none. */
async function versionOf(db: Postgres): Promise<number> {
  const [{ made }] = await db.all<{ made: boolean }>(
    "SELECT to_regclass('migration') IS NOT NULL AS made",
  );
  if (!made) return 0;
  const sql = "SELECT coalesce(max(version), 0) AS version FROM migration";
  return (await db.all<{ version: number }>(sql))[0].version;
}

/** @throws {BargeError} `fatal` where a crash of the database would lose acknowledged files */
async function requireDurable(db: Postgres): Promise<void> {
  const [{ fsync, commit }] = await db.all<{ fsync: string; commit: string }>(
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit`,
  );
  if (fsync === "on" && commit !== "off") return;
  throw new BargeError("fatal", "the database would lose acknowledged files in a crash", {
    hint: "set fsync = on and synchronous_commit = on",
  });
}
