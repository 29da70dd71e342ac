/**
 * Failed logins, shared by all workers through the database: each is answered late, and too many of
 * them in an hour are followed by a ban.
 *
 *   allowed -> (9 failures in an hour) -> banned: 5 min -> allowed -> ... -> banned: 10 min ...
 *
 * Bans are chosen so that a stranger can't lock out the owner of an account:
 *
 * - An account is *at home* where it has logged in from in the last 90 days, and on loopback. Its
 *   failures there count for the two together, and ban that account there: nobody else, and it
 *   nowhere else. Bans of the address or of the account do not hold there.
 * - From anywhere else a failure counts twice: against the address, whichever accounts it tries, and
 *   against the account, from wherever it is tried. Either is banned by itself.
 * - Loopback itself is never banned: behind it are all programs of this machine, and everyone who
 *   comes by a tunnel. An account at loopback is, or a tunnel would be a way to guess for ever.
 * - A token has 256 random bits. Guessing one is hopeless, so that a wrong one counts against its
 *   address only, and a right one is refused only where the address is banned: cron goes on with the
 *   token of `barge login` while somebody fails at the account's password. So it is with public keys.
 * - A question that no login follows (a challenge without its proof, a public key that the account
 *   does not have) counts against its address only, until a login of that account from there.
 *
 * A login that succeeds forgets that account's failures from there, not those with other names: one
 * account of one's own does not pay for guessing at others. A ban lasts 5 minutes, then twice as long
 * as the last one, up to a day, until a day has passed without.
 *
 * Invariants: a banned login is refused whatever it proves, and is not written down; the work, the
 * rows written and the delay are the same for a name that exists and one that doesn't (which is kept
 * as a digest: people type passwords there). Failures older than an hour go, bans a day after their
 * end; there are never more than `maxRows` rows of each, and of places where an account is at home, 64.
 * Two workers that check at the same moment may let as many guesses more pass as there are workers.
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

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const firstBanMs = 300_000;
const maxBanMs = dayMs;
const familiarMs = 90 * dayMs;
const maxFamiliarAddresses = 64;
const maxRows = 20_000;
const firstDelayMs = 100;

interface Row {
  account: string;
  address: string;
  since: number;
  until: number;
  times: number;
}

/** A pair that failures count for: '' stands for any. */
type Subject = readonly [account: string, address: string];

interface Case {
  readonly account: string;
  readonly address: string;
  readonly atHome: boolean;
  readonly subjects: readonly Subject[];
}

export class Bans {
  readonly #db: Database;
  #after: number;
  readonly #now: () => number;

  /**
   * @param after the failures in an hour after which a ban follows; 0: never
   * @param now the time, in ms since 1970
   */
  constructor(db: Database, after = defaultBanAfter, now: () => number = Date.now) {
    this.#db = db;
    this.#after = after;
    this.#now = now;
  }

  /** From here on a ban follows after so many failures; 0: never, and no ban holds. */
  adjust(after = defaultBanAfter): void {
    this.#after = after;
  }

  /** How many bans hold now. */
  count(): number {
    const sql = "SELECT count(*) AS n FROM ban WHERE until > ?";
    return this.#db.get<{ n: number }>(sql, this.#now())!.n;
  }

  /** Is this login to be refused, whatever it proves? Without the write lock. */
  banned(attempt: Attempt): boolean {
    return this.#banned(this.#case(attempt));
  }

  /**
   * Notes a login that failed, or that is banned.
   *
   * @returns how late to answer, and whom this bans
   * @throws {BargeError} `unavailable` when the database is locked for too long
   */
  failed(attempt: Attempt): Consequence {
    const known = this.#case(attempt);
    if (this.#banned(known)) return { delay: maxLoginDelayMs, bans: [] };
    return this.#db.lightly(() => {
      const now = this.#now();
      const { id } = this.#db.run(
        "INSERT INTO failure (account, address, known, at) VALUES (?, ?, ?, ?)",
        ...[known.account, known.address, known.atHome ? 1 : 0, now],
      );
      this.#db.run("DELETE FROM failure WHERE at < ? OR id <= ?", now - hourMs, id - maxRows);
      const counts = known.subjects.map((subject) => this.#count(subject, now));
      const bans = known.subjects.filter((_, i) => this.#after > 0 && counts[i] >= this.#after)
        .map((subject) => this.#ban(subject, now));
      const delay = firstDelayMs * 2 ** (Math.max(this.#from(known.address), ...counts) - 1);
      return { delay: Math.min(delay, maxLoginDelayMs), bans };
    });
  }

  /** Notes a login that succeeded. It writes only where something changes. */
  succeeded(attempt: Attempt): void {
    const { account, address } = this.#case(attempt);
    const now = this.#now();
    const { id, name } = attempt.account!;
    const forgotten = [account, questions(name.toLowerCase()), address];
    const failures = this.#db.get(
      "SELECT 1 FROM failure WHERE account IN (?, ?) AND address = ?",
      ...forgotten,
    );
    const seen = this.#seen(id, address) ?? 0;
    const stale = seen < now - dayMs && !isLoopback(address);
    if (!failures && !stale) return;
    this.#db.lightly(() => {
      this.#db.run("DELETE FROM failure WHERE account IN (?, ?) AND address = ?", ...forgotten);
      if (!stale) return;
      this.#db.run(
        `INSERT INTO familiar (account, address, seen) SELECT id, ?2, ?3 FROM account WHERE id = ?1
         ON CONFLICT DO UPDATE SET seen = excluded.seen`,
        ...[id, address, now],
      );
      this.#db.run(
        `DELETE FROM familiar WHERE account = ?1 AND (seen < ?2 OR address NOT IN (
           SELECT address FROM familiar WHERE account = ?1 ORDER BY seen DESC LIMIT ${maxFamiliarAddresses}))`,
        ...[id, now - familiarMs],
      );
    });
  }

  /** The bans that hold now, oldest first. */
  list(): Ban[] {
    const sql = "SELECT * FROM ban WHERE until > ? ORDER BY since, account, address";
    return this.#db.all<Row>(sql, this.#now()).map(ban);
  }

  /**
   * Ends the bans of an address, or of an account, and forgets the failures that led to them.
   *
   * @param subject an address, an account's name in whatever case, or `?` and a digest
   * @returns the bans that held
   */
  lift(subject: string): Ban[] {
    const values = [subject.toLowerCase(), subject.endsWith("/64") ? subject : network(subject)];
    return this.#db.transaction(() => {
      const lifted = this.#db.all<Row>(
        "DELETE FROM ban WHERE account = ? OR address = ? RETURNING *",
        ...values,
      );
      this.#db.run("DELETE FROM failure WHERE account = ? OR address = ?", ...values);
      return lifted.filter(({ until }) => until > this.#now()).map(ban);
    });
  }

  /** The same work for every name, whether there is such an account or not. */
  #case({ account, name, mechanism, host }: Attempt): Case {
    const address = network(host);
    const local = isLoopback(address);
    const seen = this.#seen(account?.id ?? 0, address) ?? 0;
    const atHome = local || seen >= this.#now() - familiarMs;
    const anywhere: Subject = ["", address];
    const unknown = this.markOf(name); // also where it is not needed: the same work for all
    const key = account?.name.toLowerCase() ?? unknown;
    if (mechanism !== "password") {
      const about = mechanism === "question" ? questions(key) : "";
      return { account: about, address, atHome, subjects: atHome ? [] : [anywhere] };
    }
    const subjects: Subject[] = atHome ? [[key, address]] : [anywhere, [key, ""]];
    return { account: key, address, atHome, subjects };
  }

  /** Returns what stands for a name that no account has: `?` and a keyed digest. */
  markOf(name: string): string {
    const digest = createHmac("sha256", this.#db.secret("decoy")).update(
      `ban\n${name.toLowerCase()}`,
    );
    return `?${digest.digest("hex").slice(0, 12)}`;
  }

  #seen(account: number, address: string): number | undefined {
    const sql = "SELECT seen FROM familiar WHERE account = ? AND address = ?";
    return this.#db.get<{ seen: number }>(sql, account, address)?.seen;
  }

  #banned({ subjects }: Case): boolean {
    if (this.#after === 0) return false;
    const now = this.#now();
    const until = subjects.map((subject) => this.#last(subject)?.until ?? 0);
    return until.some((time) => time > now);
  }

  #last([account, address]: Subject): Row | undefined {
    return this.#db.get<Row>(
      "SELECT * FROM ban WHERE account = ? AND address = ?",
      account,
      address,
    );
  }

  /** Failures of the last hour that are not paid for with a ban yet. */
  #count(subject: Subject, now: number): number {
    const [account, address] = subject;
    const since = Math.max(now - hourMs, this.#last(subject)?.since ?? 0);
    const [where, values] = account === ""
      ? ["known = 0 AND address = ?", [address]]
      : address === ""
      ? ["known = 0 AND account = ?", [account]]
      : ["known = 1 AND account = ? AND address = ?", [account, address]];
    const sql = `SELECT count(*) AS n FROM failure WHERE ${where} AND at > ?`;
    return this.#db.get<{ n: number }>(sql, ...values, since)!.n;
  }

  /** All that failed from there, as far as it matters to the delay. */
  #from(address: string): number {
    const sql = "SELECT count(*) AS n FROM (SELECT 1 FROM failure WHERE address = ? LIMIT 10)";
    return this.#db.get<{ n: number }>(sql, address)!.n;
  }

  #ban(subject: Subject, now: number): Ban {
    const last = this.#last(subject);
    const times = last && last.until > now - dayMs ? last.times + 1 : 1;
    const until = now + Math.min(firstBanMs * 2 ** (times - 1), maxBanMs);
    const [account, address] = subject;
    this.#db.run(
      `INSERT INTO ban (account, address, since, until, times) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET since = excluded.since, until = excluded.until, times = excluded.times`,
      ...[account, address, now, until, times],
    );
    this.#db.run("DELETE FROM ban WHERE until < ?", now - dayMs);
    this.#db.run(
      `DELETE FROM ban WHERE (account, address) IN (
         SELECT account, address FROM ban ORDER BY until DESC LIMIT -1 OFFSET ${maxRows})`,
    );
    return ban({ account, address, since: now, until, times });
  }
}

/** Stands for an account in the rows of questions about it. No name has a colon. */
function questions(key: string): string {
  return `:${key}`;
}

function ban({ account, address, ...rest }: Row): Ban {
  return { account: account || null, address: address || null, ...rest };
}
