/**
 * Share links: one file or folder for whoever has the link. It holds 256 random bits, of which the
 * database has the SHA-256 alone: who reads it can follow no link.
 *
 *   made -> (downloaded ...) -> used up     as often as was allowed
 *                           \-> expired, revoked, or gone: what it led to was moved or removed
 *
 * A link leads to a place: a file that is replaced there is shared on. One that is moved away or
 * removed takes its links with it, so that what comes to have its name later is shared with nobody.
 *
 * Invariant: `downloads` never exceeds `most`, however many workers count at once: one statement both
 * looks and counts, under the write lock.
 */
import { createHash, randomBytes } from "node:crypto";
import { BargeError } from "../../error.ts";
import type { FoundShare, NewShare, Share } from "../../storage/shares.ts";
import type { Place } from "../../storage/place.ts";
import { maxShares } from "../database/bounds.ts";
import type { Database } from "../database/database.ts";
import { below } from "../ledger/ledger.ts";

/** How long a link that has ended is still listed, in ms. */
const listedFor = 30 * 86_400_000;
/** How long, in ms, and in how many more parts a counted download can be gone on with. */
const resumable = 86_400_000;
const mostParts = 100;
/** Counted downloads of one link that are remembered for that. */
const mostVisits = 1000;

interface Row {
  digest: string;
  account: number;
  dir: string;
  name: string;
  kind: "file" | "dir";
  created: number;
  expires: number;
  most: number | null;
  downloads: number;
  gone: number;
  salt: string | null;
  n: number;
  r: number;
  p: number;
  stored_key: string;
  server_key: string;
}

export class Shares {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Makes one.
   *
   * @returns the token, which can't be had again
   * @throws {BargeError} `refused` where the account has too many; `not-found` when it is gone
   */
  add(account: number, share: NewShare): { token: string; share: Share } {
    const { place, kind, expires, most, verifier: v } = share;
    const token = randomBytes(32).toString("base64url");
    const digest = digestOf(token);
    const now = Date.now();
    return this.#db.transaction(() => {
      this.#db.run("DELETE FROM share WHERE expires < ?", now - listedFor);
      const { count } = this.#db.get<{ count: number }>(
        "SELECT count(*) AS count FROM share WHERE account = ?",
        account,
      )!;
      if (count >= maxShares) {
        throw new BargeError("refused", `the account has ${maxShares} links, as many as it may`, {
          hint: "revoke some; those that have ended count until they are revoked, or for 30 days",
        });
      }
      const { changes } = this.#db.run(
        `INSERT INTO share (digest, account, dir, name, kind, created, expires, most,
           salt, n, r, p, stored_key, server_key)
         SELECT ?, id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM account WHERE id = ?`,
        ...[digest, place.dir, place.name, kind, now, expires, most],
        ...v ? [v.salt, v.n, v.r, v.p, v.storedKey, v.serverKey] : Array(6).fill(null),
        account,
      );
      if (changes === 0) throw new BargeError("not-found", "the account is gone");
      return { token, share: this.#byDigest(digest)! };
    });
  }

  /** An account's, the newest first. */
  list(account: number): Share[] {
    const sql = "SELECT * FROM share WHERE account = ? ORDER BY created DESC, digest";
    return this.#db.all<Row>(sql, account).map(known);
  }

  /** Returns the link of a token, also where it has ended. */
  find(token: string): FoundShare | undefined {
    return this.#byDigest(digestOf(token));
  }

  /**
   * Counts a download, if there may be one more: asked before its first byte is sent.
   *
   * @param address whose it is, as `network` writes it
   * @param version what of: it can be gone on with; null for what can't be
   * @returns whether it may be
   */
  count({ digest, most }: FoundShare, address: string, version: string | null): boolean {
    const now = Date.now();
    const counted = () =>
      this.#db.run(
        `UPDATE share SET downloads = downloads + 1 WHERE digest = ? AND gone = 0 AND expires > ?
         AND (most IS NULL OR downloads < most)`,
        ...[digest, now],
      ).changes > 0;
    const work = () => {
      if (!counted()) return false;
      if (version !== null) this.#remember(digest, address, version, now);
      return true;
    };
    return most === null ? this.#db.lightly(work) : this.#db.transaction(work);
  }

  /** May that visitor have a later part of a download that was counted? Takes one of its parts. */
  goesOn({ digest }: FoundShare, address: string, version: string): boolean {
    return this.#db.lightly(() =>
      this.#db.run(
        `UPDATE share_visit SET parts = parts - 1
         WHERE share = ? AND address = ? AND version = ? AND parts > 0 AND at > ?`,
        ...[digest, address, version, Date.now() - resumable],
      ).changes > 0
    );
  }

  /** @returns whether the account had such a one */
  revoke(account: number, id: string): boolean {
    return this.#db.run(
      "DELETE FROM share WHERE account = ? AND substr(digest, 1, 16) = ?",
      ...[account, id],
    ).changes > 0;
  }

  /** Marks the links to a place, and below it, as gone. */
  lose(place: Place): void {
    const [dir, low, high] = below(place);
    this.#db.run(
      `UPDATE share SET gone = 1
       WHERE (dir = ? AND name = ?) OR dir = ? OR (dir >= ? AND dir < ?)`,
      ...[place.dir, place.name, dir, low, high],
    );
  }

  #remember(digest: string, address: string, version: string, now: number): void {
    this.#db.run("DELETE FROM share_visit WHERE at < ?", now - resumable);
    this.#db.run(
      `INSERT INTO share_visit (share, address, version, parts, at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET parts = excluded.parts, at = excluded.at`,
      ...[digest, address, version, mostParts, now],
    );
    this.#db.run(
      `DELETE FROM share_visit WHERE share = ?1 AND (address, version) IN (
         SELECT address, version FROM share_visit WHERE share = ?1
         ORDER BY at DESC LIMIT -1 OFFSET ${mostVisits})`,
      digest,
    );
  }

  #byDigest(digest: string): FoundShare | undefined {
    const row = this.#db.get<Row>("SELECT * FROM share WHERE digest = ?", digest);
    return row && known(row);
  }
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function known(row: Row): FoundShare {
  const { digest, account, kind, created, expires, most, downloads } = row;
  const { salt, n, r, p, stored_key: storedKey, server_key: serverKey } = row;
  return {
    ...{ digest, account, kind, created, expires, most, downloads },
    id: digest.slice(0, 16),
    place: { dir: row.dir, name: row.name },
    gone: row.gone !== 0,
    verifier: salt === null ? null : { salt, n, r, p, storedKey, serverKey },
  };
}
