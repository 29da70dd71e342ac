/** Checks that the database and the bucket of shared storage can be reached and used. */
import { BargeError } from "../error.ts";
import { refuseMigrating } from "../migrate/state.ts";
import { requireDurable, requirePrepared } from "../shared/prepare.ts";
import type { Verdict } from "./finding.ts";
import type { SharedSetup } from "./setup.ts";

/** Checks that the database answers, and has the tables and the key of this barge. */
export async function checkDatabase({ storage }: SharedSetup): Promise<Verdict[]> {
  return await verdictOf("database", () => requirePrepared(storage.parts));
}

/** Checks that commits survive a crash of the database. @throws {BargeError} `unavailable` */
export async function checkDatabaseDurability({ storage }: SharedSetup): Promise<Verdict[]> {
  try {
    await requireDurable(storage.parts.db);
  } catch (error) {
    if (!(error instanceof BargeError) || error.kind !== "fatal") throw error;
    const message = "The database would lose acknowledged files in a crash.";
    return [{ severity: "bad", message, advice: "Set fsync = on and synchronous_commit = on." }];
  }
  return [{ severity: "ok", message: "The database keeps what it has committed in a crash." }];
}

/** Checks that the bucket answers and accepts the keys. */
export async function checkBucket({ storage }: SharedSetup): Promise<Verdict[]> {
  return await verdictOf("bucket", () => storage.parts.bucket.check());
}

/** Looks for a migration to the storage that has not ended: no node starts until then. */
export async function checkMigration({ storage }: SharedSetup): Promise<Verdict[]> {
  return await verdictOf("storage", () => refuseMigrating(storage.parts), "has no open migration");
}

async function verdictOf(
  name: string,
  use: () => Promise<void>,
  right = "answers, and its secrets are right",
): Promise<Verdict[]> {
  try {
    await use();
  } catch (error) {
    if (!(error instanceof BargeError)) throw error;
    const message = `The ${name} can't be used: ${error.message}.`;
    const hint = error.hint ?? "check its address and its log";
    return [{ severity: "bad", message, advice: `${hint[0].toUpperCase()}${hint.slice(1)}.` }];
  }
  return [{ severity: "ok", message: `The ${name} ${right}.` }];
}
