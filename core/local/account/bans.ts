/**
 * Failed logins, which all workers share through the database. Each is answered late, and too many in
 * an hour are followed by a ban of 5 minutes. Each further ban lasts twice as long as the one before, up
 * to a day, until a day has passed without a ban.
 *
 * A stranger must not be able to lock out an account's owner:
 *
 * - An address is *familiar* to an account that has logged in there in the last 90 days; loopback always
 *   is. Failures there count for the account at this address, and ban it there only. Bans of the whole
 *   address or account do not hold there.
 * - A failure elsewhere counts twice: against the address, for all accounts, and against the account, for
 *   all addresses. Each is banned by itself.
 * - Loopback itself is never banned, since all programs of this machine and all tunnels come from there.
 *   An account is banned there, or a tunnel would allow endless guesses.
 * - A token, or a public key, can't be guessed. A wrong one counts against its address only, and a right
 *   one is refused only where the address is banned.
 * - A question without a login (a challenge without a proof, an unknown public key) counts against its
 *   address only, until the account logs in there.
 *
 * A login forgets that account's failures at its address, and not those of other names: nobody may use an
 * account of his own to guess at others.
 *
 * A banned login is refused even with the right password, and is not recorded. Work, rows and delay are
 * the same for unknown names, which are stored as digests, since people type passwords there. Failures are
 * kept for an hour, bans for a day after their end. Workers that check at the same moment may let as many
 * more guesses pass as there are workers.
 */
import { createHmac } from "node:crypto";
import { isLoopback, network } from "../../net/address.ts";
import {
  type Attempt,
  type Ban,
  type Consequence,
  defaultBanAfter,
  maxLoginDelayMs,
} from "../../storage/logins.ts";
import type { Database } from "../database/database.ts";
import { Table } from "../database/table.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const firstBanMs = 300_000;
const maxBanMs = dayMs;
const familiarMs = 90 * dayMs;
const maxFamiliarAddresses = 64;
/** Rows of failures, and of bans. */
const maxRows = 20_000;
const firstDelayMs = 100;

interface Row extends Ban {
  readonly account: string;
  readonly address: string;
}

/** The account and address that failures count for; '' for all. */
type Subject = readonly [account: string, address: string];

/** An attempt as a row of failures, and the subjects that it counts for. */
interface Case {
  readonly account: string;
  readonly address: string;
  readonly familiar: boolean;
  readonly subjects: readonly Subject[];
}

export class Bans extends Table {
  #after: number;
  readonly #now: () => number;

  /**
   * @param after the number of failures in an hour that is followed by a ban; 0: never
   * @param now the time, in ms since 1970
   */
  constructor(db: Database, after = defaultBanAfter, now: () => number = Date.now) {
    super(db);
    this.#after = after;
    this.#now = now;
  }

  /** Changes the number of failures that are followed by a ban; 0: never, and no ban holds. */
  adjust(after = defaultBanAfter): void {
    this.#after = after;
  }

  /** Returns the number of bans that hold. */
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
    return this.db.lightly(() => {
      const now = this.#now();
      const { account, address, familiar } = known;
      const { id } = this.db.insert("failure", { account, address, known: +familiar, at: now });
      this.db.run("DELETE FROM failure WHERE at < ? OR id <= ?", now - hourMs, id - maxRows);
      const counts = known.subjects.map((subject) => this.#count(subject, now));
      const bans = known.subjects.filter((_, i) => this.#after > 0 && counts[i] >= this.#after)
        .map((subject) => this.#ban(subject, now));
      const delay = firstDelayMs * 2 ** (Math.max(this.#from(address), ...counts) - 1);
      return { delay: Math.min(delay, maxLoginDelayMs), bans };
    });
  }

  /** Records a successful login, if that changes anything. */
  succeeded(attempt: Attempt): void {
    const { account, address } = this.#case(attempt);
    const now = this.#now();
    const { id, name } = attempt.account!;
    const forgotten = [account, questions(name.toLowerCase()), address];
    const where = "FROM failure WHERE account IN (?, ?) AND address = ?";
    const failures = this.db.get(`SELECT 1 ${where}`, ...forgotten);
    const stale = this.#seen(id, address) < now - dayMs && !isLoopback(address);
    if (!failures && !stale) return;
    this.db.lightly(() => {
      this.db.run(`DELETE ${where}`, ...forgotten);
      if (!stale || !this.db.get("SELECT 1 FROM account WHERE id = ?", id)) return;
      this.db.upsert("familiar", { account: id, address }, { seen: now });
      const old = `DELETE FROM familiar WHERE account = ?1 AND (seen < ?2 OR address NOT IN (
        SELECT address FROM familiar WHERE account = ?1 ORDER BY seen DESC LIMIT ${maxFamiliarAddresses}))`;
      this.db.run(old, id, now - familiarMs);
    });
  }

  /** Returns the bans that hold, the oldest first. */
  list(): Ban[] {
    const sql = "SELECT * FROM ban WHERE until > ? ORDER BY since, account, address";
    return this.db.all<Row>(sql, this.#now()).map(ban);
  }

  /**
   * Ends the bans of an address or account, and forgets their failures.
   *
   * @param subject an address, an account's name in any case, or the mark of an unknown name
   * @returns the bans that held
   */
  lift(subject: string): Ban[] {
    const values = [subject.toLowerCase(), subject.endsWith("/64") ? subject : network(subject)];
    return this.db.transaction(() => {
      const lifted = this.db.all<Row>(
        "DELETE FROM ban WHERE account = ? OR address = ? RETURNING *",
        ...values,
      );
      this.db.run("DELETE FROM failure WHERE account = ? OR address = ?", ...values);
      return lifted.filter(({ until }) => until > this.#now()).map(ban);
    });
  }

  /** Does the same work for known and unknown names. */
  #case({ account, name, mechanism, host }: Attempt): Case {
    const address = network(host);
    const local = isLoopback(address);
    const seen = this.#seen(account?.id ?? 0, address);
    const familiar = local || seen >= this.#now() - familiarMs;
    const anywhere: Subject = ["", address];
    const unknown = this.markOf(name); // also for known names: the same work for all
    const key = account?.name.toLowerCase() ?? unknown;
    if (mechanism !== "password") {
      const about = mechanism === "question" ? questions(key) : "";
      return { account: about, address, familiar, subjects: familiar ? [] : [anywhere] };
    }
    const subjects: Subject[] = familiar ? [[key, address]] : [anywhere, [key, ""]];
    return { account: key, address, familiar, subjects };
  }

  /** Returns the mark of an unknown name: `?` and a keyed digest. */
  markOf(name: string): string {
    const digest = createHmac("sha256", this.db.secret("decoy")).update(
      `ban\n${name.toLowerCase()}`,
    );
    return `?${digest.digest("hex").slice(0, 12)}`;
  }

  /** Returns the time of the account's last login at an address; 0 for never. */
  #seen(account: number, address: string): number {
    const sql = "SELECT seen FROM familiar WHERE account = ? AND address = ?";
    return this.db.value(sql, account, address) ?? 0;
  }

  #banned({ subjects }: Case): boolean {
    if (this.#after === 0) return false;
    const now = this.#now();
    const until = subjects.map((subject) => this.#last(subject)?.until ?? 0);
    return until.some((time) => time > now);
  }

  #last([account, address]: Subject): Row | undefined {
    const sql = "SELECT * FROM ban WHERE account = ? AND address = ?";
    return this.db.get<Row>(sql, account, address);
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
    const last = this.#last(subject);
    const times = last && last.until > now - dayMs ? last.times + 1 : 1;
    const until = now + Math.min(firstBanMs * 2 ** (times - 1), maxBanMs);
    const [account, address] = subject;
    const term = { since: now, until, times };
    this.db.upsert("ban", { account, address }, term);
    this.db.run("DELETE FROM ban WHERE until < ?", now - dayMs);
    this.db.run(
      `DELETE FROM ban WHERE (account, address) IN (
         SELECT account, address FROM ban ORDER BY until DESC LIMIT -1 OFFSET ${maxRows})`,
    );
    return ban({ account, address, ...term });
  }
}

/** Returns the mark of an account in the rows of questions about it; no name has a colon. */
function questions(key: string): string {
  return `:${key}`;
}

function ban({ account, address, ...rest }: Row): Ban {
  return { account: account || null, address: address || null, ...rest };
}
