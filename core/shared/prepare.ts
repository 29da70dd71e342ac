/** Prepares the storage: its tables and its key, and checks that its bucket can be used. */
import { BargeError } from "../error.ts";
import type { Parts } from "./bucket/parts.ts";
import { migrate, newestVersion, requireUsable, versionOf } from "./database/migrate.ts";
import type { Postgres } from "./database/postgres.ts";

/**
 * Brings the storage to this version of barge, and makes it where it is new.
 *
 * @param program the version of barge
 * @param onWait as that of {@link migrate}
 * @throws {BargeError} `unavailable`; `fatal` for credentials, a bucket, settings or a key that are wrong
 */
export async function prepare(
  { db, bucket, secrets }: Parts,
  program: string,
  onWait?: (nodes: string) => void,
): Promise<void> {
  await bucket.check();
  await requireDurable(db);
  await migrate(db, program, undefined, onWait);
  await secrets.get("decoy"); // throws where the key is wrong
}

/**
 * Checks that this barge can use the storage, and changes nothing.
 *
 * @throws {BargeError} `unavailable`; `not-found` where it was never made; `fatal` for credentials or a key
 *   that are wrong, and for tables that are older, or too new
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
  if (version < newestVersion) {
    const why = `the tables of the database have version ${version}; this barge needs version ` +
      `${newestVersion}`;
    throw new BargeError("fatal", why, {
      hint: "start a node of this barge, which upgrades them; or use the barge of the nodes",
    });
  }
  await requireUsable(db);
  await secrets.find("decoy"); // throws where the key is wrong
}

/** Checks that commits of the database survive its crash. @throws {BargeError} `fatal` where acknowledged files would be lost */
export async function requireDurable(db: Postgres): Promise<void> {
  const [{ fsync, commit }] = await db.all<{ fsync: string; commit: string }>(
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit`,
  );
  if (fsync === "on" && commit !== "off") return;
  throw new BargeError("fatal", "the database would lose acknowledged files in a crash", {
    hint: "set fsync = on and synchronous_commit = on",
  });
}
