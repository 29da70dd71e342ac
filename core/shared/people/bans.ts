/** Failed logins and bans, which all nodes share: see core/storage/ban_rules.ts. */
import { dayMs, hourMs } from "../../duration.ts";
import { isLoopback } from "../../net/address.ts";
import {
  banOf,
  type BanRow,
  delayOf,
  type FailureCase,
  failureCase,
  familiarMs,
  liftedValues,
  maxFailureRows,
  maxFamiliarAddresses,
  nextBan,
  questionsAbout,
  type Subject,
  unknownMark,
} from "../../storage/ban_rules.ts";
import { banEvent, loginFailedEvent } from "../../storage/event_facts.ts";
import { type Attempt, type Ban, type Consequence, maxLoginDelayMs } from "../../storage/logins.ts";
import { network } from "../../net/address.ts";
import { banBegun } from "../../storage/audit/entries.ts";
import type { Parts } from "../bucket/parts.ts";
import type { Statements } from "../database/postgres.ts";
import { recording } from "../database/audit_rows.ts";

export class SharedBans {
  readonly #parts: Parts;
  readonly #after: () => number;

  /** @param after returns the number of failures in an hour that is followed by a ban; 0: never */
  constructor(parts: Parts, after: () => number) {
    this.#parts = parts;
    this.#after = after;
  }

  async isBanned(attempt: Attempt): Promise<boolean> {
    const { db } = this.#parts;
    return await this.#isBanned(db, await this.#case(db, attempt));
  }

  async failed(attempt: Attempt): Promise<Consequence> {
    return await recording(this.#parts.db, async (tx, record) => {
      const known = await this.#case(tx, attempt);
      if (await this.#isBanned(tx, known)) return { delay: maxLoginDelayMs, bans: [] };
      const { name, account, address, familiar, subjects } = known;
      // These locks let one transaction at a time count the failures of an address or an account.
      for (const key of [`address ${address}`, `account ${account}`]) {
        await tx.all("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key);
      }
      const [{ id, now }] = await tx.all<{ id: number; now: number }>(
        `INSERT INTO failure (account, address, familiar, at) VALUES ($1, $2, $3::boolean, now_ms())
         RETURNING id, at AS now`,
        account,
        address,
        familiar,
      );
      await tx.all(
        "DELETE FROM failure WHERE at < $1::bigint OR id <= $2::bigint",
        now - hourMs,
        id - maxFailureRows,
      );
      const counts: number[] = [];
      for (const subject of subjects) counts.push(await count(tx, subject, now));
      const after = this.#after();
      const bans: Ban[] = [];
      for (const [i, subject] of subjects.entries()) {
        if (after > 0 && counts[i] >= after) bans.push(await ban(tx, subject, now));
      }
      await this.#parts.outbox.add(tx, () => [
        loginFailedEvent(name, address, attempt.mechanism),
        ...bans.map(banEvent),
      ]);
      await record(...bans.map((ban) => banBegun(ban, attempt)));
      const [{ n }] = await tx.all<{ n: number }>(
        "SELECT count(*) AS n FROM (SELECT 1 FROM failure WHERE address = $1 LIMIT 10) AS t",
        address,
      );
      return { delay: delayOf([n, ...counts]), bans };
    });
  }

  async succeeded(attempt: Attempt): Promise<void> {
    const { db } = this.#parts;
    const now = await nowOf(db);
    const { account, address } = await this.#case(db, attempt);
    const { id, name } = attempt.account!;
    await db.all(
      "DELETE FROM failure WHERE account IN ($1, $2) AND address = $3",
      account,
      questionsAbout(name.toLowerCase()),
      address,
    );
    if (isLoopback(address) || await this.#seen(db, id, address) >= now - dayMs) return;
    await db.all(
      `INSERT INTO familiar (account, address, seen) SELECT id, $2, $3::bigint FROM account WHERE id = $1
       ON CONFLICT (account, address) DO UPDATE SET seen = excluded.seen`,
      id,
      address,
      now,
    );
    await db.all(
      `DELETE FROM familiar WHERE account = $1 AND (seen < $2::bigint OR address NOT IN (
         SELECT address FROM familiar WHERE account = $1 ORDER BY seen DESC
         LIMIT ${maxFamiliarAddresses}))`,
      id,
      now - familiarMs,
    );
  }

  async list(): Promise<Ban[]> {
    const sql = `SELECT account, address, since, until, times FROM ban WHERE until > now_ms()
      ORDER BY since, account, address`;
    return (await this.#parts.db.all<BanRow>(sql)).map(banOf);
  }

  async lift(tx: Statements, subject: string): Promise<Ban[]> {
    const values = liftedValues(subject);
    const lifted = await tx.all<BanRow & { holds: boolean }>(
      `DELETE FROM ban WHERE account = $1 OR address = $2
       RETURNING account, address, since, until, times, until > now_ms() AS holds`,
      ...values,
    );
    await tx.all("DELETE FROM failure WHERE account = $1 OR address = $2", ...values);
    return lifted.filter(({ holds }) => holds).map(banOf);
  }

  async markOf(name: string): Promise<string> {
    return unknownMark(await this.#parts.secrets.get("decoy"), name);
  }

  async #case(db: Statements, attempt: Attempt): Promise<FailureCase> {
    const seen = await this.#seen(db, attempt.account?.id ?? 0, network(attempt.host));
    const mark = await this.markOf(attempt.name); // also for known names: the same work for all
    return failureCase(attempt, mark, seen, await nowOf(db));
  }

  /** Returns the time of the account's last login at an address; 0 for never. */
  async #seen(db: Statements, account: number, address: string): Promise<number> {
    const [row] = await db.all<{ seen: number }>(
      "SELECT seen FROM familiar WHERE account = $1 AND address = $2",
      account,
      address,
    );
    return row?.seen ?? 0;
  }

  async #isBanned(db: Statements, { subjects }: FailureCase): Promise<boolean> {
    if (this.#after() === 0) return false;
    for (const [account, address] of subjects) {
      const sql = "SELECT 1 FROM ban WHERE account = $1 AND address = $2 AND until > now_ms()";
      if ((await db.all(sql, account, address)).length > 0) return true;
    }
    return false;
  }
}

async function nowOf(db: Statements): Promise<number> {
  return (await db.all<{ now: number }>("SELECT now_ms() AS now"))[0].now;
}

async function lastBan(db: Statements, [account, address]: Subject): Promise<BanRow | undefined> {
  const sql = `SELECT account, address, since, until, times FROM ban
    WHERE account = $1 AND address = $2`;
  return (await db.all<BanRow>(sql, account, address))[0];
}

/** Returns the number of failures in the last hour, since the last ban. */
async function count(tx: Statements, subject: Subject, now: number): Promise<number> {
  const [account, address] = subject;
  const since = Math.max(now - hourMs, (await lastBan(tx, subject))?.since ?? 0);
  const familiar = account !== "" && address !== "";
  const [{ n }] = await tx.all<{ n: number }>(
    `SELECT count(*) AS n FROM failure WHERE familiar = $4::boolean AND at > $3::bigint
       AND ($1 = '' OR account = $1) AND ($2 = '' OR address = $2)`,
    account,
    address,
    since,
    familiar,
  );
  return n;
}

async function ban(tx: Statements, subject: Subject, now: number): Promise<Ban> {
  const row = nextBan(subject, await lastBan(tx, subject), now);
  const { account, address, since, until, times } = row;
  await tx.all(
    `INSERT INTO ban (account, address, since, until, times)
     VALUES ($1, $2, $3::bigint, $4::bigint, $5::integer)
     ON CONFLICT (account, address) DO UPDATE
       SET since = excluded.since, until = excluded.until, times = excluded.times`,
    account,
    address,
    since,
    until,
    times,
  );
  await tx.all("DELETE FROM ban WHERE until < $1::bigint", now - dayMs);
  await tx.all(
    `DELETE FROM ban WHERE (account, address) IN (
       SELECT account, address FROM ban ORDER BY until DESC OFFSET ${maxFailureRows})`,
  );
  return banOf(row);
}
