/**
 * Uploads that many machines share: rows in the database, bytes in the bucket.
 *
 * A resume takes over the account's newest upload to the path, even if another connection, on any node, still
 * writes it. The former holder is first asked to record the bytes that it has gathered
 * (handover.ts). Then the row gets the new holder, and the next statement of the former holder fails.
 */
import { logFile } from "./file_records.ts";
import { createHash, randomUUID } from "node:crypto";
import { BargeError } from "../../error.ts";
import type { FileContent } from "../../storage/content.ts";
import { maxPartialUploads } from "../../storage/bounds.ts";
import type { Place } from "../../storage/place.ts";
import type {
  Content,
  NewUpload,
  PartialUpload,
  StoredFile,
  Uploads,
  UploadStart,
  WriteGuard,
} from "../../storage/uploads.ts";
import { SharedBody } from "./body.ts";
import { type Change, change, checkSums } from "../tree/change.ts";
import { claim } from "../tree/claim.ts";
import { decodePath, encodeName, encodePlace } from "../database/name.ts";
import { askToLetGo, onLetGo } from "./handover.ts";
import { folderId } from "../tree/node_rows.ts";
import { type Opened, SharedUpload } from "./open_upload.ts";
import type { Parts } from "../bucket/parts.ts";
import { releaseObjects } from "../bucket/objects.ts";
import { type Piece, PieceReader, piecesOf } from "../tree/pieces.ts";
import type { Statements } from "../database/postgres.ts";
import { FileCopies } from "./file_copies.ts";
import { SmallFiles } from "./small_files.ts";
import { SharedContent } from "../tree/content.ts";
import {
  dropAt,
  keepPartialDays,
  partialOf,
  resumableBytes,
  uploadAt,
  uploadById,
  uploadsOf,
} from "../tree/upload_rows.ts";

const pageUploads = 256;

/** An upload's row, and the pieces that it begins with. */
interface Begun {
  readonly facts: Opened;
  readonly pieces: readonly Piece[];
  readonly size: number;
}

export class SharedUploads implements Uploads {
  /** Large groups take fewer objects and transactions. */
  readonly maxPendingStores = 512;
  readonly #parts: Parts;
  readonly #copies: FileCopies;
  readonly #small: SmallFiles;
  /** The uploads of this process, by their ids. */
  readonly #open = new Map<number, SharedUpload>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#copies = new FileCopies(parts);
    this.#small = new SmallFiles(parts);
  }

  /** Gives up uploads that other nodes ask for, until it is disposed of. */
  async serve(): Promise<AsyncDisposable> {
    return await onLetGo(this.#parts.db, (id) => void this.#open.get(id)?.yield());
  }

  async begin(upload: NewUpload, start: UploadStart): Promise<SharedUpload> {
    const { db } = this.#parts;
    const holder = `${this.#parts.startId}/${randomUUID()}`;
    if (start.keep > 0) {
      const former = await uploadAt(db, upload.account, upload);
      const own = former && this.#open.get(former.id);
      if (own) await own.yield();
      else if (former?.busy) await askToLetGo(db, former.id);
    }
    const { facts, pieces, size } = await change(
      db,
      [upload],
      [upload.account],
      async (step) =>
        await this.#resume(step, upload, start, holder) ??
          await this.#insert(step, upload, start, holder),
    );
    const open: SharedUpload = new SharedUpload(this.#parts, facts, () => {
      if (this.#open.get(facts.id) === open) this.#open.delete(facts.id);
    });
    this.#open.set(facts.id, open);
    try {
      open.attach(
        new SharedBody(this.#parts, {
          pieces,
          size,
          digest: await this.#digest(facts.content, size, start),
          record: (gone, added) => open.recordPieces(gone, added),
          check: () => open.check(),
          now: async () => (await db.all<{ now: number }>("SELECT now_ms() AS now"))[0].now,
        }),
      );
      return open;
    } catch (error) {
      this.#open.delete(facts.id);
      throw error;
    }
  }

  /** Takes the account's newest upload to the path. */
  async #resume(
    step: Change,
    upload: NewUpload,
    { keep, recorded = false }: UploadStart,
    holder: string,
  ): Promise<Begun | undefined> {
    const { tx } = step;
    const row = keep > 0 ? await uploadAt(tx, upload.account, upload) : undefined;
    if (!row) return undefined;
    const { id, account, parent, name, content } = row;
    const { credit, entry } = await claim(tx, { account, parent, name, upload: id });
    const reserved = upload.size ?? row.want;
    await tx.all(
      `UPDATE upload SET size = $2::bigint, want = $3::bigint, credit = $4::bigint,
         entry = $5::integer, modified = $6::bigint, holder = $7, recorded = $8::boolean, whole = NULL,
         touched = now() WHERE id = $1`,
      id,
      upload.size,
      reserved,
      credit,
      entry,
      upload.modified,
      holder,
      recorded,
    );
    await checkSums(step, account, { reserved: Math.max(0, row.want - row.credit) });
    let size = Math.min(keep, resumableBytes(row));
    if (upload.size !== null && size > upload.size) size = 0;
    const pieces = await this.#keepPieces(tx, content, size);
    const { dir } = upload;
    const facts = { id, account, content, holder, reserved, recorded, dir, name: upload.name };
    return { facts, pieces, size };
  }

  /** Cuts content to its first bytes. @returns their pieces */
  async #keepPieces(tx: Statements, content: number, size: number): Promise<Piece[]> {
    const removed = await tx.all<{ object: number }>(
      "DELETE FROM piece WHERE content = $1 AND at >= $2::bigint RETURNING object",
      content,
      size,
    );
    await releaseObjects(tx, removed.map(({ object }) => object));
    const pieces = await piecesOf(tx, content);
    const last = pieces.at(-1);
    if (last && last.at + last.size > size) {
      // The digest of a piece does not hold for a part of it.
      await tx.all(
        "UPDATE piece SET size = $3::integer, sha256 = NULL WHERE content = $1 AND at = $2::bigint",
        content,
        last.at,
        size - last.at,
      );
      return [...pieces.slice(0, -1), { ...last, size: size - last.at, sha256: null }];
    }
    return pieces;
  }

  /** Adds the row of a new upload, which has no bytes yet. */
  async #insert(
    step: Change,
    upload: NewUpload,
    { keep, remains, recorded = false }: UploadStart,
    holder: string,
  ): Promise<Begun> {
    const { tx } = step;
    const { account, size, modified } = upload;
    const parent = await folderId(tx, upload.dir);
    if (parent === undefined) throw new BargeError("no-directory", "the folder does not exist");
    if (remains && await uploadAt(tx, account, upload)) {
      throw new BargeError("unavailable", "another upload to that path is under way");
    }
    if (keep === 0) await dropAt(tx, account, upload, { idle: true });
    const name = encodeName(upload.name);
    if (recorded) {
      await tx.all(
        `DELETE FROM finished_upload
         WHERE account = $1 AND parent = $2::bigint AND name = decode($3, 'hex')`,
        account,
        parent,
        name,
      );
    }
    const { credit, entry } = await claim(tx, { account, parent, name });
    const reserved = size ?? upload.reserve ?? 0;
    const [row] = await tx.all<{ id: number; content: number; partials: number }>(
      `WITH new AS (INSERT INTO content DEFAULT VALUES RETURNING id)
       INSERT INTO upload (account, parent, name, size, want, credit, entry, content, modified, holder,
         recorded)
       SELECT $1::bigint, $2::bigint, decode($3, 'hex'), $4::bigint, $5::bigint, $6::bigint,
         $7::integer, new.id, $8::bigint, $9, $10::boolean FROM new
       RETURNING id, content,
         (SELECT count(*) FROM upload AS other WHERE other.account = $1::bigint) AS partials`,
      account,
      parent,
      name,
      size,
      reserved,
      credit,
      entry,
      modified,
      holder,
      recorded,
    );
    if (row.partials >= maxPartialUploads) {
      const why = `the account has ${maxPartialUploads} partial uploads, as many as it may`;
      throw new BargeError("over-quota", why, {
        hint:
          "finish or drop some: `barge ls --partial` lists them, `barge rm --partial` drops them",
      });
    }
    await checkSums(step, account);
    const { id, content } = row;
    const { dir } = upload;
    const facts = { id, account, content, holder, reserved, recorded, dir, name: upload.name };
    return { facts, pieces: [], size: 0 };
  }

  async #digest(content: number, size: number, { unread }: UploadStart) {
    if (size === 0) return createHash("sha256");
    if (unread) return undefined;
    const digest = createHash("sha256");
    using reader = new PieceReader(this.#parts, content);
    for (let at = 0; at < size;) {
      const bytes = (await reader.from(at))?.subarray(0, size - at);
      if (!bytes) throw new BargeError("io", "a piece of the upload is missing");
      digest.update(bytes);
      at += bytes.length;
    }
    return digest;
  }

  async store(
    upload: NewUpload,
    content: Content,
    bytes: Uint8Array,
    guard: WriteGuard,
  ): Promise<StoredFile> {
    const file = await this.#small.store({ upload, content, bytes, guard });
    logFile(guard, file);
    return file;
  }

  async copy(from: Place, to: NewUpload, guard: WriteGuard): Promise<StoredFile> {
    const file = await this.#copies.copy(from, to, guard);
    logFile(guard, file);
    return file;
  }

  async openStaged(upload: number, modified: number): Promise<FileContent> {
    const [row] = await this.#parts.db.all<{ content: number; size: number }>(
      `SELECT content, coalesce((SELECT max(at + size) FROM piece WHERE piece.content = upload.content), 0)
         AS size FROM upload WHERE id = $1`,
      upload,
    );
    if (!row) throw new BargeError("not-found", "the upload has ended");
    return new SharedContent(this.#parts, { ...row, modified, sha256: null }, 0);
  }

  async resumable(account: number, place: Place): Promise<PartialUpload | undefined> {
    const row = await uploadAt(this.#parts.db, account, place);
    return row && partialOf(row, place);
  }

  async partial(account: number, place: Place): Promise<PartialUpload | undefined> {
    return await this.resumable(account, place);
  }

  async *partials(account: number): AsyncGenerator<PartialUpload, void, void> {
    for (let last = 0;;) {
      const rows = await uploadsOf(this.#parts.db, account, last, pageUploads);
      for (const row of rows) {
        if (row.parent !== null) yield partialOf(row, { dir: decodePath(row.dir!) });
      }
      if (rows.length < pageUploads) return;
      last = rows.at(-1)!.id;
    }
  }

  async sample(upload: number, bytes: number, signal?: AbortSignal): Promise<string | undefined> {
    const row = await uploadById(this.#parts.db, upload);
    if (!row) return undefined;
    const digest = createHash("sha256");
    using reader = new PieceReader(this.#parts, row.content);
    for (let at = 0; at < bytes;) {
      signal?.throwIfAborted();
      const part = (await reader.from(at))?.subarray(0, bytes - at);
      if (!part) return undefined;
      digest.update(part);
      at += part.length;
    }
    return digest.digest("hex");
  }

  async finished(
    account: number,
    place: Place,
  ): Promise<{ size: number; expires: number } | undefined> {
    const { dir, name } = encodePlace(place);
    const [row] = await this.#parts.db.all<{ size: number; expires: number }>(
      `SELECT node.size, (extract(epoch FROM finished + interval '${keepPartialDays} days') * 1000)::bigint
         AS expires
       FROM finished_upload JOIN node USING (parent, name, content)
       WHERE account = $1 AND parent = folder_at($2) AND name = decode($3, 'hex')
         AND node.owner = account AND finished > now() - interval '${keepPartialDays} days'`,
      account,
      dir,
      name,
    );
    return row;
  }

  async dropAt(account: number, place: Place): Promise<number> {
    return await change(
      this.#parts.db,
      [place],
      [account],
      async ({ tx }) => await dropAt(tx, account, place),
    );
  }
}
