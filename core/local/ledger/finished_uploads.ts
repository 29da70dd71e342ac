/**
 * Uploads that became files, for clients that lost the last answer and look up the offset by path. A
 * row is written with the seal, before the rename, so that a crash can't leave the file without its row. A
 * reader must compare the row with the existing file.
 */
import type { Place } from "../../storage/place.ts";
import { maxFinishedUploads } from "../../storage/bounds.ts";
import { Table } from "../database/table.ts";

/** The file that an upload became. */
export interface FinishedUpload {
  readonly size: number;
  /** The digest, in hex. */
  readonly sha256: string;
  /** The time of its last byte, in ms since 1970. */
  readonly finished: number;
}

const atPath = "FROM finished_upload WHERE account = ? AND dir = ? AND name = ?";

export class FinishedUploads extends Table {
  /** Records an account's last upload to a path, and deletes its oldest rows. Inside a transaction. */
  record(account: number, { dir, name }: Place, file: FinishedUpload): void {
    const { size, sha256, finished } = file;
    this.db.upsert("finished_upload", { account, dir, name }, { size, sha256, finished });
    this.db.run(
      `DELETE FROM finished_upload WHERE account = ?1 AND finished <= (
         SELECT finished FROM finished_upload WHERE account = ?1
         ORDER BY finished DESC LIMIT 1 OFFSET ${maxFinishedUploads})`,
      account,
    );
  }

  /** Returns an account's last upload to a path. */
  find(account: number, { dir, name }: Place): FinishedUpload | undefined {
    return this.db.get(`SELECT size, sha256, finished ${atPath}`, account, dir, name);
  }

  /** Forgets an account's last upload to a path, because it has begun another. */
  forget(account: number, place: Place): void {
    if (!this.find(account, place)) return;
    this.db.run(`DELETE ${atPath}`, account, place.dir, place.name);
  }

  /** Forgets the uploads that finished before a time, in ms since 1970. */
  forgetBefore(time: number): void {
    this.db.run("DELETE FROM finished_upload WHERE finished < ?", time);
  }
}
