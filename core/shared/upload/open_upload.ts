/** An upload as its holder has it open: its row in the database, and its bytes in the bucket. */
import { logFile, recordFiles } from "./file_records.ts";
import { BargeError } from "../../error.ts";
import { commitEvent } from "../../storage/event_facts.ts";
import type { Place } from "../../storage/place.ts";
import {
  type Content,
  LostUpload,
  type OpenUpload,
  type StoredFile,
  type WriteGuard,
} from "../../storage/uploads.ts";
import type { SharedBody } from "./body.ts";
import { type Change, change, checkSums } from "../tree/change.ts";
import { claim } from "../tree/claim.ts";
import { sealContent } from "../tree/content_rows.ts";
import { writeFiles } from "../tree/files.ts";
import { encodeName, encodePath } from "../database/name.ts";
import { folderId } from "../tree/node_rows.ts";
import { claimObjects, releaseObjects } from "../bucket/objects.ts";
import type { Parts } from "../bucket/parts.ts";
import { addPieces, type Piece } from "../tree/pieces.ts";
import type { Statements } from "../database/postgres.ts";
import { checkGuard } from "../tree/view.ts";

/** The bytes that are reserved beyond those needed now, for an upload of unknown size. */
const reserveAheadBytes = 8 * 1024 * 1024;
/** The time between two beats, which record gathered bytes and renew the holder's lease, in ms. */
const beatMs = 2_000;

export interface Opened extends Place {
  readonly id: number;
  readonly account: number;
  readonly content: number;
  readonly holder: string;
  readonly reserved: number;
  readonly recorded: boolean;
}

export class SharedUpload implements OpenUpload {
  readonly #parts: Parts;
  #facts: Opened;
  #body!: SharedBody;
  #lost: LostUpload | undefined;
  #committed = false;
  #ended = false;
  #beating: Promise<void> | undefined;
  /** The timer of the next beat; undefined while none is due. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #whole: number | null | undefined;
  readonly #onEnd: () => void;

  constructor(parts: Parts, facts: Opened, onEnd: () => void) {
    this.#parts = parts;
    this.#facts = facts;
    this.#onEnd = onEnd;
  }

  /** Sets the body, which is made after the upload, since the body calls the upload to record its pieces. */
  attach(body: SharedBody): void {
    this.#body = body;
  }

  get id(): number {
    return this.#facts.id;
  }

  get body(): SharedBody {
    return this.#body;
  }

  get reserved(): number {
    return this.#facts.reserved;
  }

  get takenOver(): boolean {
    return this.#lost?.reason === "taken-over";
  }

  get lost(): boolean {
    return this.#lost !== undefined;
  }

  async whyLost(): Promise<LostUpload | undefined> {
    if (!this.#lost && !this.#ended) await this.#beat(this.#parts.db).catch(() => {});
    return this.#lost;
  }

  /** Throws once the upload is lost. */
  check(): void {
    if (this.#lost) throw this.#lost;
  }

  /** Records the gathered bytes, and gives the upload up to a newer connection. */
  async yield(): Promise<void> {
    if (this.#lost || this.#ended) return;
    await this.#body.keep().catch(() => {/* bytes that are not recorded are sent again */});
    this.#lost ??= new LostUpload("taken-over");
    const { id, holder } = this.#facts;
    const sql = "UPDATE upload SET holder = NULL WHERE id = $1 AND holder = $2";
    await this.#parts.db.all(sql, id, holder).catch(
      () => {/* the lease ends by itself soon, which frees the upload */},
    );
  }

  /** Records changed pieces. */
  async recordPieces(gone: readonly number[], added: readonly Piece[]): Promise<void> {
    const { content } = this.#facts;
    await this.#parts.db.transaction(async (tx) => {
      await this.#beat(tx);
      const removed = await tx.all<{ object: number }>(
        `DELETE FROM piece WHERE content = $1 AND at IN
           (SELECT value::bigint FROM jsonb_array_elements_text($2::text::jsonb)) RETURNING object`,
        content,
        JSON.stringify(gone),
      );
      await claimObjects(tx, added.map(({ object }) => object));
      await addPieces(tx, added.map((piece) => ({ ...piece, content })));
      await releaseObjects(tx, removed.map(({ object }) => object));
    });
  }

  async reserve(total: number): Promise<void> {
    try {
      await this.#grow(total + reserveAheadBytes);
    } catch (error) {
      if (!(error instanceof BargeError && error.kind === "over-quota")) throw error;
      await this.#grow(total);
    }
  }

  async #grow(want: number): Promise<void> {
    await this.#change([this.#facts], async (step) => {
      const { account, reserved: former } = this.#facts;
      const sql = "UPDATE upload SET want = $2::bigint WHERE id = $1 RETURNING credit";
      const [{ credit }] = await step.tx.all<{ credit: number }>(sql, this.id, want);
      await checkSums(step, account, { reserved: Math.max(0, former - credit), credit });
    });
    this.#facts = { ...this.#facts, reserved: want };
  }

  renewLease(whole?: number | null): boolean {
    this.check();
    this.#whole = whole;
    this.#timer ??= setTimeout(() => this.#beatDue(), beatMs);
    return false;
  }

  renewLeaseNow(whole?: number | null): boolean {
    this.check();
    this.#whole = whole;
    this.#beatDue();
    return false;
  }

  #beatDue(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#beating ??= this.#recordAndBeat()
      .catch(() => {/* if the upload is lost, the next call of the holder fails */})
      .finally(() => this.#beating = undefined);
  }

  async #recordAndBeat(): Promise<void> {
    const { db } = this.#parts;
    // The object store may take longer than the holder's lease.
    const beats = setInterval(
      () => this.#beat(db).catch(() => {/* the next call fails */}),
      beatMs,
    );
    try {
      await this.#body.checkpoint();
    } finally {
      clearInterval(beats);
    }
    await this.#beat(db, this.#whole);
  }

  /** Renews the holder's lease. @throws {LostUpload} when the row has another holder, or is gone */
  async #beat(db: Statements, whole?: number | null): Promise<void> {
    const { id, holder } = this.#facts;
    const rows = await db.all<{ parent: number }>(
      `UPDATE upload SET touched = now(), whole = CASE WHEN $3::boolean THEN $4::bigint ELSE whole END
       WHERE id = $1 AND holder = $2 RETURNING parent`,
      id,
      holder,
      whole !== undefined,
      whole ?? null,
    );
    if (rows.length === 0) throw await this.#lose(db);
  }

  /** Finds out why the upload was lost, and marks it as lost. */
  async #lose(db: Statements): Promise<LostUpload> {
    if (this.#lost) return this.#lost;
    const [row] = await db.all<{ holder: string | null; dir: string | null }>(
      "SELECT holder, path_of(parent) AS dir FROM upload WHERE id = $1",
      this.id,
    );
    const { dir } = this.#facts;
    const folder = await folderId(db, dir);
    return this.#lost = new LostUpload(
      row
        ? row.dir !== encodePath(dir) ? "moved" : row.holder === null ? "ended" : "taken-over"
        : folder === undefined
        ? "no-folder"
        : "removed",
    );
  }

  async recordWhole(whole: number | null): Promise<void> {
    this.check();
    await this.#body.flush();
    await this.#beat(this.#parts.db, whole);
  }

  async move(place: Place, guard: WriteGuard): Promise<void> {
    await this.#change([this.#facts, place], async (step) => {
      const { tx, view } = step;
      await checkGuard(view, guard);
      const parent = await folderId(tx, place.dir);
      if (parent === undefined) throw new BargeError("no-directory", "the folder does not exist");
      await this.#retarget(step, parent, place.name);
    });
    this.#facts = { ...this.#facts, dir: place.dir, name: place.name };
  }

  async unlink(): Promise<void> {
    await this.#change([this.#facts], (step) => this.#retarget(step, null, `unlinked-${this.id}`));
  }

  async #retarget(step: Change, parent: number | null, name: string): Promise<void> {
    const { tx } = step;
    const { account } = this.#facts;
    const hex = encodeName(name);
    const sql = "SELECT want, credit FROM upload WHERE id = $1";
    const [before] = await tx.all<{ want: number; credit: number }>(sql, this.id);
    const { credit, entry } = await claim(tx, { account, parent, name: hex, upload: this.id });
    await tx.all(
      `UPDATE upload SET parent = $2::bigint, name = decode($3, 'hex'), credit = $4::bigint,
         entry = $5::integer WHERE id = $1`,
      this.id,
      parent,
      hex,
      credit,
      entry,
    );
    await checkSums(step, account, { reserved: Math.max(0, before.want - before.credit) });
  }

  async commit(
    content: Content & { readonly modified: number },
    guard: WriteGuard,
  ): Promise<StoredFile> {
    this.check();
    const { id, account, dir, name, recorded } = this.#facts;
    const place = { dir, name };
    const { size, sha256, modified } = content;
    const replaced = await this.#change([place], async (step) => {
      const { tx, view } = step;
      const existing = await checkGuard(view, guard);
      await sealContent(tx, this.#facts.content, content);
      await writeFiles(step, [
        { place, owner: account, content: this.#facts.content, size, sha256, modified },
      ]);
      if (recorded) await recordFinished(tx, id);
      await tx.all("DELETE FROM upload WHERE id = $1", id);
      const replaced = existing !== undefined;
      await this.#parts.outbox.add(tx, () => {
        const owner = step.accounts.get(account)?.name ?? null;
        const { door = null } = guard;
        return [commitEvent({ ...content, dir, name, account: owner, door, replaced })];
      });
      await recordFiles(tx, [[guard, { size, replaced }]]);
      return replaced;
    });
    this.#committed = true;
    logFile(guard, { size, replaced });
    return { size, sha256, modified, replaced };
  }

  async detach(empty = false): Promise<void> {
    if (this.#ended) return;
    try {
      if (!this.#committed && !this.#lost) await this.#keep(empty);
    } catch (error) {
      // A lost upload is not this holder's to keep any more.
      if (!(error instanceof LostUpload)) throw error;
    } finally {
      this.#end();
    }
  }

  async #keep(empty: boolean): Promise<void> {
    const { size, length } = await this.#body.keep();
    if (size === 0 && !empty) return await this.#drop();
    await this.#change([this.#facts], async ({ tx }) => {
      const other = await tx.all(
        `SELECT 1 FROM upload AS mine JOIN upload AS other USING (account, parent, name)
         WHERE mine.id = $1 AND other.id <> mine.id`,
        this.id,
      );
      if (other.length > 0) return await this.#drop(tx);
      await tx.all(
        `UPDATE upload SET holder = NULL, whole = $2::bigint, want = least(want, $3::bigint),
           touched = now() WHERE id = $1`,
        this.id,
        size < length ? size : null,
        size,
      );
    });
  }

  async drop(): Promise<void> {
    if (this.#ended) return;
    try {
      if (!this.#committed && !this.#lost) await this.#drop();
    } finally {
      this.#end();
    }
  }

  async #drop(db: Statements = this.#parts.db): Promise<void> {
    const { id, holder } = this.#facts;
    await db.all("DELETE FROM upload WHERE id = $1 AND holder = $2", id, holder);
  }

  #end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#body[Symbol.dispose]();
    this.#onEnd();
  }

  /** Runs a change in a transaction that first checks that the upload still has this holder. */
  async #change<T>(places: readonly Place[], work: (step: Change) => Promise<T>): Promise<T> {
    this.check();
    await this.#beating;
    return await change(this.#parts.db, places, [this.#facts.account], async (step) => {
      await this.#beat(step.tx);
      return await work(step);
    });
  }
}

/** Records that an upload becomes a file, for clients that lost the answer to the last bytes. */
async function recordFinished(tx: Statements, upload: number): Promise<void> {
  await tx.all(
    `INSERT INTO finished_upload (account, parent, name, content)
     SELECT account, parent, name, content FROM upload WHERE id = $1
     ON CONFLICT (account, parent, name)
       DO UPDATE SET content = excluded.content, finished = now()`,
    upload,
  );
}
