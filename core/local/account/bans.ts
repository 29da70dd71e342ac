/**
 * Failed logins and bans, which all workers share through the database: see core/storage/ban_rules.ts.
 * If all workers check at the same moment, each of them may let one guess too many pass.
 */
import { dayMs, hourMs } from "../../duration.ts";
import { isLoopback, network } from "../../net/address.ts";
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
import {
  type Attempt,
  type Ban,
  type Consequence,
  defaultBanAfter,
  maxLoginDelayMs,
} from "../../storage/logins.ts";
import { banEvent, loginFailedEvent } from "../../storage/event_facts.ts";
import { banBegun } from "../../storage/audit/entries.ts";
import { logAudit } from "../../storage/audit/log.ts";
import type { Database } from "../database/database.ts";
import { Table } from "../database/table.ts";
import { Outbox } from "../ledger/outbox.ts";
import { Audit } from "./audit.ts";

export class Bans extends Table {
  readonly #audit: Audit;
  #after: number;
  readonly #now: () => number;
  readonly #outbox: Outbox;

  /**
   * @param after the number of failures in an hour that is followed by a ban; 0: never
   * @param now the time, in ms since 1970
   */
  constructor(
    db: Database,
    after = defaultBanAfter,
    now: () => number = Date.now,
    outbox: Outbox = new Outbox(db),
  ) {
    super(db);
    this.#outbox = outbox;
    this.#audit = new Audit(db);
    this.#after = after;
    this.#now = now;
  }

  /** Changes the number of failures that are followed by a ban; 0: never, and no ban is in force. */
  adjust(after = defaultBanAfter): void {
    this.#after = after;
  }

  /** Returns the number of bans in force. */
  count(): number {
    return this.db.value("SELECT count(*) FROM ban WHERE until > ?", this.#now())!;
  }

  /** Returns whether a login is banned. Needs no write lock. */
  banned(attempt: Attempt): boolean {
    return this.#banned(this.#case(attempt));
  }

  /**
   * Records a failed or banned login.
   *
   * @throws {BargeError} `unavailable` when the database is locked for too long
   */
  failed(attempt: Attempt): Consequence {
    const known = this.#case(attempt);
    if (this.#banned(known)) return { delay: maxLoginDelayMs, bans: [] };
    const consequence = this.db.unsyncedTransaction(() => {
      const now = this.#now();
      const { name, account, address, familiar } = known;
      const { id } = this.db.insert("failure", { account, address, known: +familiar, at: now });
      this.db.run("DELETE FROM failure WHERE at < ? OR id <= ?", now - hourMs, id - maxFailureRows);
      const counts = known.subjects.map((subject) => this.#count(subject, now));
      const bans = known.subjects.filter((_, i) => this.#after > 0 && counts[i] >= this.#after)
        .map((subject) => this.#ban(subject, now));
      this.#outbox.add(() => [
        loginFailedEvent(name, address, attempt.mechanism),
        ...bans.map(banEvent),
      ]);
      for (const ban of bans) this.#audit.add(banBegun(ban, attempt));
      return { delay: delayOf([this.#from(address), ...counts]), bans };
    });
    for (const ban of consequence.bans) logAudit(banBegun(ban, attempt));
    return consequence;
  }

  /** Records a successful login, if that changes anything. */
  succeeded(attempt: Attempt): void {
    const { account, address } = this.#case(attempt);
    const now = this.#now();
    const { id, name } = attempt.account!;
    const forgotten = [account, questionsAbout(name.toLowerCase()), address];
    const where = "FROM failure WHERE account IN (?, ?) AND address = ?";
    const failures = this.db.get(`SELECT 1 ${where}`, ...forgotten);
    const stale = this.#seen(id, address) < now - dayMs && !isLoopback(address);
    if (!failures && !stale) return;
    this.db.unsyncedTransaction(() => {
      this.db.run(`DELETE ${where}`, ...forgotten);
      if (!stale || !this.db.get("SELECT 1 FROM account WHERE id = ?", id)) return;
      this.db.upsert("familiar", { account: id, address }, { seen: now });
      const old = `DELETE FROM familiar WHERE account = ?1 AND (seen < ?2 OR address NOT IN (
        SELECT address FROM familiar WHERE account = ?1 ORDER BY seen DESC LIMIT ${maxFamiliarAddresses}))`;
      this.db.run(old, id, now - familiarMs);
    });
  }

  /** Returns the bans in force, the oldest first. */
  list(): Ban[] {
    const sql = "SELECT * FROM ban WHERE until > ? ORDER BY since, account, address";
    return this.db.all<BanRow>(sql, this.#now()).map(banOf);
  }

  /**
   * Ends the bans of an address or account, and forgets their failures.
   *
   * @param subject an address, an account's name in any case, or the mark of an unknown name
   * @returns the bans that were in force
   */
  lift(subject: string): Ban[] {
    const values = liftedValues(subject);
    return this.db.transaction(() => {
      const lifted = this.db.all<BanRow>(
        "DELETE FROM ban WHERE account = ? OR address = ? RETURNING *",
        ...values,
      );
      this.db.run("DELETE FROM failure WHERE account = ? OR address = ?", ...values);
      return lifted.filter(({ until }) => until > this.#now()).map(banOf);
    });
  }

  #case(attempt: Attempt): FailureCase {
    const seen = this.#seen(attempt.account?.id ?? 0, network(attempt.host));
    return failureCase(attempt, this.markOf(attempt.name), seen, this.#now());
  }

  /** Returns the mark of an unknown name. */
  markOf(name: string): string {
    return unknownMark(this.db.secret("decoy"), name);
  }

  /** Returns the time of the account's last login at an address; 0 for never. */
  #seen(account: number, address: string): number {
    const sql = "SELECT seen FROM familiar WHERE account = ? AND address = ?";
    return this.db.value(sql, account, address) ?? 0;
  }

  #banned({ subjects }: FailureCase): boolean {
    if (this.#after === 0) return false;
    const now = this.#now();
    const until = subjects.map((subject) => this.#last(subject)?.until ?? 0);
    return until.some((time) => time > now);
  }

  #last([account, address]: Subject): BanRow | undefined {
    const sql = "SELECT * FROM ban WHERE account = ? AND address = ?";
    return this.db.get<BanRow>(sql, account, address);
  }

  /** Returns the number of failures in the last hour, since the last ban. */
  #count(subject: Subject, now: number): number {
    const [account, address] = subject;
    const since = Math.max(now - hourMs, this.#last(subject)?.since ?? 0);
    const [where, values] = account === ""
      ? ["known = 0 AND address = ?", [address]]
      : address === ""
      ? ["known = 0 AND account = ?", [account]]
      : ["known = 1 AND account = ? AND address = ?", [account, address]];
    const sql = `SELECT count(*) FROM failure WHERE ${where} AND at > ?`;
    return this.db.value(sql, ...values, since)!;
  }

  /** Returns the number of failures from an address; above 10 the delay is at its maximum. */
  #from(address: string): number {
    const sql = "SELECT count(*) FROM (SELECT 1 FROM failure WHERE address = ? LIMIT 10)";
    return this.db.value(sql, address)!;
  }

  #ban(subject: Subject, now: number): Ban {
    const { account, address, ...term } = nextBan(subject, this.#last(subject), now);
    this.db.upsert("ban", { account, address }, term);
    this.db.run("DELETE FROM ban WHERE until < ?", now - dayMs);
    this.db.run(
      `DELETE FROM ban WHERE (account, address) IN (
         SELECT account, address FROM ban ORDER BY until DESC LIMIT -1 OFFSET ${maxFailureRows})`,
    );
    return banOf({ account, address, ...term });
  }
}
