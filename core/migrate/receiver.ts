/**
 * Writes files into a data directory. Each file is staged, compared with its digest and synced. It then gets
 * its name in the transaction that writes its row. Several files share a transaction.
 */
import { createHash } from "node:crypto";
import { BargeError, typed } from "../error.ts";
import { sameFile } from "../local/entry.ts";
import type { NewFile } from "../local/ledger/ledger.ts";
import type { Parts } from "../local/parts.ts";
import { digestFile } from "../local/vault/digest.ts";
import { makeFile, stagedPath, stagedPlace, stageWhole } from "../local/vault/staging.ts";
import { foundOf } from "../local/vault/vault.ts";
import { SharedContent } from "../shared/tree/content.ts";
import type { Parts as SharedParts } from "../shared/bucket/parts.ts";
import { reached } from "../storage/fault.ts";
import { type Place, relative } from "../storage/place.ts";
import type { Report } from "./report.ts";
import type { SharedEntry } from "./shared_source.ts";

/** Files up to this size are held in memory. */
const smallBytes = 1024 * 1024;
/** The most files, and bytes, that wait for their names. */
const maxFiles = 128;
const maxBytes = 8 * 1024 * 1024;

/** A file that is staged. */
interface Staged {
  readonly number: number;
  readonly file: NewFile;
}

export class Receiver {
  readonly #parts: Parts;
  readonly #shared: SharedParts;
  readonly #report: Report;
  /** The last number in the staging folder. */
  #number = 0;
  #group: Staged[] = [];
  #bytes = 0;

  constructor(parts: Parts, shared: SharedParts, report: Report) {
    this.#parts = parts;
    this.#shared = shared;
    this.#report = report;
  }

  /** Writes a file, unless the directory has it. @param owner the id of its account in the directory */
  async receive(dir: string, entry: SharedEntry, owner: number | null): Promise<void> {
    const place = { dir, name: entry.name };
    this.#report.start(place, 0);
    try {
      await this.#receive(place, entry, owner);
    } catch (error) {
      this.#report.failed(relative(place), error);
    }
    this.#report.done();
    if (this.#group.length >= maxFiles || this.#bytes >= maxBytes) this.flush();
  }

  async #receive(place: Place, entry: SharedEntry, owner: number | null): Promise<void> {
    const { size, modified, verified } = entry;
    const facts = { ...place, owner, size, modified, sha256: entry.sha256!, verified };
    const ino = await this.#inoOf(place, entry);
    if (ino === undefined) {
      const number = ++this.#number;
      const staged = await this.#stage(number, entry);
      this.#group.push({ number, file: { ...facts, ...staged } });
      this.#bytes += size;
      this.#report.files++;
      return;
    }
    this.#report.kept++;
    if (!isKnown(place.dir)) return;
    const row = this.#parts.ledger.file(place);
    if (row?.owner !== owner || row.ino !== ino) this.#parts.ledger.enter({ ...facts, ino });
  }

  /** Returns the inode of the file at the place, if it is this file already; undefined for any other. */
  async #inoOf(place: Place, entry: SharedEntry): Promise<number | undefined> {
    const { vault, ledger } = this.#parts;
    const found = vault.find(place);
    if (found?.type !== "file" || found.size !== entry.size || found.modified !== entry.modified) {
      return undefined;
    }
    const row = ledger.file(place);
    const sha256 = row && sameFile(row, found)
      ? row.sha256
      : (await digestFile(vault, place)).digest;
    return sha256 === entry.sha256 ? found.ino : undefined;
  }

  async #stage(
    number: number,
    entry: SharedEntry,
  ): Promise<{ readonly modified: number; readonly ino: number }> {
    const { content, size, modified, sha256 } = entry;
    const digest = createHash("sha256");
    const body = new SharedContent(this.#shared, { content: content!, size, modified, sha256 }, 0);
    const check = () => {
      if (digest.digest("hex") === sha256) return;
      throw new BargeError("digest", "is damaged: its bytes are not those of its digest");
    };
    try {
      if (size <= smallBytes) {
        const bytes = await body.rest();
        digest.update(bytes);
        check();
        this.#report.moved(size);
        return await stageWhole(this.#parts.vault, number, bytes, modified);
      }
      using file = makeFile(stagedPath(this.#parts.vault, number));
      for await (const piece of body.pieces()) {
        digest.update(piece);
        for (let done = 0; done < piece.length;) done += await file.write(piece.subarray(done));
        this.#report.moved(piece.length);
      }
      check();
      file.utimeSync(new Date(modified), new Date(modified));
      await file.sync();
      return foundOf(file.statSync());
    } catch (error) {
      throw typed(error, { op: "stage" });
    } finally {
      body.close();
    }
  }

  /** Gives the staged files their names. */
  flush(): void {
    const group = this.#group;
    if (group.length === 0) return;
    const { db, ledger, vault } = this.#parts;
    db.transaction(() => {
      for (const { number, file } of group) vault.renameFile(stagedPlace(number), file);
      reached("renamed");
      for (const dir of new Set(group.map(({ file }) => file.dir))) vault.sync(dir);
      ledger.enterAll(group.map(({ file }) => file).filter(({ dir }) => isKnown(dir)));
    });
    reached("committed");
    this.#group = [];
    this.#bytes = 0;
  }
}

/** Returns whether the ledger knows the files in a folder: those of homes and /public. */
export function isKnown(dir: string): boolean {
  return /^(public(\/|$)|homes\/)/.test(dir);
}
