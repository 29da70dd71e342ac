/**
 * Uploads that became files, kept for clients that look up the offset of an upload by its path
 * after they lost the answer to the last bytes. A row is written together with the seal, before the
 * rename, so that a crash can't fall between the two. It proves nothing by itself: its reader must
 * compare it with the existing file.
 */
import type { Place } from "../../storage/place.ts";
import { maxFinishedUploads } from "../database/bounds.ts";
import type { Database } from "../database/database.ts";

/** The file that an upload became. */
export interface FinishedUpload {
  readonly size: number;
  /** In hex. */
  readonly sha256: string;
  /** The time of its last byte, in ms since 1970. */
  readonly finished: number;
}

export class FinishedUploads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Records the last upload of an account to a path; forgets the oldest beyond the bound. Inside a transaction. */
  record(account: number, { dir, name }: Place, file: FinishedUpload): void {
    this.#db.run(
      `INSERT INTO finished_upload (account, dir, name, size, sha256, finished)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (account, dir, name) DO UPDATE SET size = excluded.size,
         sha256 = excluded.sha256, finished = excluded.finished`,
      ...[account, dir, name, file.size, file.sha256, file.finished],
    );
    this.#db.run(
      `DELETE FROM finished_upload WHERE account = ?1 AND finished <= (
         SELECT finished FROM finished_upload WHERE account = ?1
         ORDER BY finished DESC LIMIT 1 OFFSET ${maxFinishedUploads})`,
      account,
    );
  }

  /** @returns the last upload of an account to a path; undefined for none */
  find(account: number, { dir, name }: Place): FinishedUpload | undefined {
    return this.#db.get<FinishedUpload>(
      `SELECT size, sha256, finished FROM finished_upload
       WHERE account = ? AND dir = ? AND name = ?`,
      ...[account, dir, name],
    );
  }

  /** Forgets it: the account has begun another upload to that path. */
  forget(account: number, place: Place): void {
    if (!this.find(account, place)) return;
    const { dir, name } = place;
    this.#db.run(
      "DELETE FROM finished_upload WHERE account = ? AND dir = ? AND name = ?",
      ...[account, dir, name],
    );
  }

  /** Forgets all that were finished before a time, in ms since 1970. */
  forgetBefore(time: number): void {
    this.#db.run("DELETE FROM finished_upload WHERE finished < ?", time);
  }
}
