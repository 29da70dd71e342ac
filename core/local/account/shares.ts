/**
 * Share links: each lets visitors read one file or folder. A link holds 256 random bits; the database
 * has their SHA-256, with which nobody can use the link.
 *
 * A link leads to a place: a file that replaces another one there is shared, too. A file or folder that
 * is moved or removed loses its links, so that a link never shares another entry that gets the name later.
 */
import { randomBytes } from "node:crypto";
import { BargeError } from "../../error.ts";
import {
  type FoundShare,
  listedMs,
  maxParts,
  maxVisits,
  type NewShare,
  resumableMs,
  type Share,
} from "../../storage/shares.ts";
import type { Place } from "../../storage/place.ts";
import { maxShares } from "../../storage/bounds.ts";
import { Table } from "../database/table.ts";
import { requireAccount, verifierColumns, verifierOf, type VerifierRow } from "./accounts.ts";
import { below, isBelow } from "../ledger/ledger.ts";
import { digestOf } from "./web_sessions.ts";

/** A row of the table `share`. The columns of the verifier are null without a password. */
type Row =
  & Omit<FoundShare, "id" | "place" | "gone" | "verifier" | "maxDownloads">
  & Omit<VerifierRow, "salt">
  & Place
  & { gone: number; most: number | null; salt: string | null };

export class Shares extends Table {
  /** Makes a link: see `ShareStore.add`. */
  add(account: number, share: NewShare): { token: string; share: Share } {
    const { place: { dir, name }, kind, expires, maxDownloads: most, verifier } = share;
    const token = randomBytes(32).toString("base64url");
    const digest = digestOf(token);
    const now = Date.now();
    return this.db.transaction(() => {
      requireAccount(this.db, account);
      this.db.run("DELETE FROM share WHERE expires < ?", now - listedMs);
      const sql = "SELECT count(*) FROM share WHERE account = ?";
      if (this.db.value<number>(sql, account)! >= maxShares) {
        throw new BargeError("refused", `the account has ${maxShares} links, as many as it may`, {
          hint: "revoke some; those that have ended count until they are revoked, or for 30 days",
        });
      }
      const columns = verifier && verifierColumns(verifier);
      const row = { digest, account, dir, name, kind, created: now, expires, most, ...columns };
      this.db.insert("share", row);
      return { token, share: this.#byDigest(digest)! };
    });
  }

  /** Returns an account's links, the newest first. */
  list(account: number): Share[] {
    const sql = "SELECT * FROM share WHERE account = ? ORDER BY created DESC, digest";
    return this.db.all<Row>(sql, account).map(shareOf);
  }

  /** Returns the link of a token, also where it has ended. */
  find(token: string): FoundShare | undefined {
    return this.#byDigest(digestOf(token));
  }

  /**
   * Counts a download: see `ShareStore.count`. One statement checks and counts, so that workers that
   * count at once never pass the limit.
   */
  count({ digest, maxDownloads }: FoundShare, address: string, version: string | null): boolean {
    const now = Date.now();
    const work = () => {
      const sql =
        `UPDATE share SET downloads = downloads + 1 WHERE digest = ? AND gone = 0 AND expires > ?
         AND (most IS NULL OR downloads < most)`;
      const { changes } = this.db.run(sql, digest, now);
      if (changes > 0 && version !== null) this.#remember(digest, address, version, now);
      return changes > 0;
    };
    return maxDownloads === null ? this.db.unsyncedTransaction(work) : this.db.transaction(work);
  }

  /** Counts a resume of a counted download: see `ShareStore.resume`. */
  resume({ digest }: FoundShare, address: string, version: string): boolean {
    const sql = `UPDATE share_visit SET parts = parts - 1
      WHERE share = ? AND address = ? AND version = ? AND parts > 0 AND at > ?`;
    const since = Date.now() - resumableMs;
    return this.db.unsyncedTransaction(() =>
      this.db.run(sql, digest, address, version, since).changes > 0
    );
  }

  /** Ends a link. @returns whether the account had it */
  revoke(account: number, id: string): boolean {
    const sql = "DELETE FROM share WHERE account = ? AND substr(digest, 1, 16) = ?";
    return this.db.run(sql, account, id).changes > 0;
  }

  /** Marks the links to a place, and below it, as gone. */
  lose(place: Place): void {
    const sql = `UPDATE share SET gone = 1 WHERE (dir = ? AND name = ?) OR ${isBelow}`;
    this.db.run(sql, place.dir, place.name, ...below(place));
  }

  #remember(digest: string, address: string, version: string, now: number): void {
    this.db.run("DELETE FROM share_visit WHERE at < ?", now - resumableMs);
    const visit = { share: digest, address, version };
    this.db.upsert("share_visit", visit, { parts: maxParts, at: now });
    this.db.run(
      `DELETE FROM share_visit WHERE share = ?1 AND (address, version) IN (
         SELECT address, version FROM share_visit WHERE share = ?1
         ORDER BY at DESC LIMIT -1 OFFSET ${maxVisits})`,
      digest,
    );
  }

  #byDigest(digest: string): FoundShare | undefined {
    const row = this.db.get<Row>("SELECT * FROM share WHERE digest = ?", digest);
    return row && shareOf(row);
  }
}

function shareOf(
  { dir, name, most, salt, n, r, p, stored_key, server_key, ...row }: Row,
): FoundShare {
  const verifier = salt === null ? null : verifierOf({ salt, n, r, p, stored_key, server_key });
  const id = row.digest.slice(0, 16);
  const gone = row.gone !== 0;
  return { ...row, id, place: { dir, name }, maxDownloads: most, gone, verifier };
}
