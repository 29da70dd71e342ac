/**
 * The state of a migration. The target stores, as a sealed secret, the directory from which it is filled, and
 * later that the migration has ended. The directory then gets a file `migrated`: no server starts on it any
 * more.
 */
import { BargeError } from "../error.ts";
import type { Parts } from "../shared/bucket/parts.ts";
import type { Postgres, Statements } from "../shared/database/postgres.ts";
import { mark } from "./marker.ts";

const begun = "migration";
const ended = "migrated";
/** The name of the row with the mark of the current pass. The mark is no secret, and not sealed. */
const passName = "migration pass";

async function has({ db }: Parts, name: string): Promise<boolean> {
  return (await db.all("SELECT 1 FROM secret WHERE name = $1", name)).length > 0;
}

/**
 * Records that a migration to a database begins, or goes on.
 *
 * @param data the real path of the data directory
 * @throws {BargeError} `exists` for a database that has accounts of its own, or is filled from another
 *   directory, or whose migration has ended
 */
export async function beginMigration(parts: Parts, data: string): Promise<PassMark> {
  if (await has(parts, ended)) {
    throw new BargeError("exists", "the migration to this database has ended", {
      hint: "to migrate again, name another database, and another bucket or prefix",
    });
  }
  if (!await has(parts, begun)) {
    const accounts = await parts.db.all("SELECT 1 FROM account LIMIT 1");
    if (accounts.length > 0) {
      throw new BargeError("exists", "the database has accounts already", {
        hint: "migrate to an empty one",
      });
    }
  }
  const source = await parts.secrets.get(begun, () => data);
  if (source === data) {
    const pass = new PassMark(parts.db);
    await pass.set();
    return pass;
  }
  throw new BargeError("exists", `a migration of ${source} to this database is under way`, {
    hint: "name that directory, or another database",
  });
}

/**
 * The mark of one pass. Each change of a pass checks the mark in the same transaction. So once a newer pass
 * has begun, an older pass that still runs changes nothing any more, even while nodes serve the target.
 */
export class PassMark {
  readonly #db: Postgres;
  readonly #mark = crypto.getRandomValues(new Uint8Array(16));

  constructor(db: Postgres) {
    this.#db = db;
  }

  /** Ends all earlier passes, and begins this one. */
  async set(): Promise<void> {
    await this.#db.all(
      `INSERT INTO secret (name, sealed) VALUES ($1, $2::bytea)
       ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed`,
      passName,
      this.#mark,
    );
  }

  /** Runs a transaction of the pass. @throws {BargeError} `unavailable` once another pass has begun */
  async transaction<T>(work: (tx: Statements) => Promise<T>): Promise<T> {
    return await this.#db.transaction(async (tx) => {
      await this.check(tx);
      return await work(tx);
    });
  }

  /** Checks that no other pass has begun. None can begin before the end of the transaction. */
  async check(tx: Statements): Promise<void> {
    const sql = "SELECT 1 FROM secret WHERE name = $1 AND sealed = $2::bytea FOR SHARE";
    if ((await tx.all(sql, passName, this.#mark)).length > 0) return;
    throw new BargeError("unavailable", "another pass of the migration has begun", {
      hint: "run one at a time",
    });
  }
}

/** @throws {BargeError} `fatal` where a migration to the storage has begun and not ended */
export async function refuseMigrating(parts: Parts): Promise<void> {
  if (!await has(parts, begun) || await has(parts, ended)) return;
  throw new BargeError("fatal", "a migration to this storage has begun, and has not ended", {
    hint: "end it with `barge migrate --to ... --final`",
  });
}

/** Records on both sides that the migration has ended. @param address of the target, without secrets */
export async function endMigration(parts: Parts, data: string, address: string): Promise<void> {
  await mark(data, "migrated", address);
  await parts.secrets.get(ended, () => new Date().toISOString());
  await parts.db.all("DELETE FROM secret WHERE name = $1", passName);
}
