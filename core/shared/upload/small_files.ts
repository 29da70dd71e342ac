/**
 * Small files whose bytes are all in memory. Files that wait at the same time are stored together: their
 * bytes in one object, their rows in one transaction. Each of them succeeds or fails by itself.
 */
import { recordFiles } from "./file_records.ts";
import { hash } from "node:crypto";
import { BargeError } from "../../error.ts";
import { commitEvent } from "../../storage/event_facts.ts";
import { reached } from "../../storage/fault.ts";
import type { Content, NewUpload, StoredFile, WriteGuard } from "../../storage/uploads.ts";
import { type Change, change } from "../tree/change.ts";
import { addContents } from "../tree/content_rows.ts";
import { writeFiles } from "../tree/files.ts";
import { encodeName } from "../database/name.ts";
import { claimObjects, objectName } from "../bucket/objects.ts";
import type { Parts } from "../bucket/parts.ts";
import { addPieces } from "../tree/pieces.ts";
import { dropIdleUploads } from "../tree/upload_rows.ts";
import { runGuard } from "../tree/view.ts";
import { admit } from "./admit.ts";
import { Groups } from "../database/groups.ts";

export interface SmallFile {
  readonly upload: NewUpload;
  readonly content: Content;
  readonly bytes: Uint8Array;
  readonly guard: WriteGuard;
}

/** The most bytes of one group. */
const maxBytes = 8 * 1024 * 1024;

export class SmallFiles {
  readonly #parts: Parts;
  readonly #groups: Groups<SmallFile, StoredFile>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#groups = new Groups({
      placeOf: ({ upload }) => upload,
      sizeOf: ({ bytes }) => bytes.length,
      maxBytes,
      run: (group) => this.#storeGroup(group),
    });
  }

  /** Stores a file: see `Uploads.store`. */
  store(file: SmallFile): Promise<StoredFile> {
    return this.#groups.add(file);
  }

  async #storeGroup(group: readonly SmallFile[]): Promise<(StoredFile | BargeError)[]> {
    const object = await this.#send(group);
    reached("sent");
    const places = group.map(({ upload }) => upload);
    const accounts = group.map(({ upload }) => upload.account);
    const { db } = this.#parts;
    return await change(db, places, accounts, (step) => this.#write(step, group, object));
  }

  /** Sends all bytes in one object. @returns its id */
  async #send(group: readonly SmallFile[]): Promise<number> {
    const size = group.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const all = new Uint8Array(size);
    let at = 0;
    for (const { bytes } of group) {
      all.set(bytes, at);
      at += bytes.length;
    }
    const object = await this.#parts.objects.take();
    await this.#parts.bucket.put(objectName(object), all, hash("sha256", all, "hex"));
    return object;
  }

  async #write(
    step: Change,
    group: readonly SmallFile[],
    object: number,
  ): Promise<(StoredFile | BargeError)[]> {
    const { tx } = step;
    const passed = await admit(
      step,
      group.map(({ upload, content, guard }) => ({ upload, size: content.size, guard })),
    );
    const files = group.filter((_, i) => !(passed[i] instanceof BargeError));
    if (files.length === 0) return passed as BargeError[];
    const ids = await addContents(tx, files.map(({ content }) => content));
    const contents = new Map(files.map((file, i) => [file, ids[i]]));
    let start = 0;
    const pieces = group.flatMap((file) => {
      const at = start;
      start += file.bytes.length;
      const content = contents.get(file);
      if (content === undefined || file.bytes.length === 0) return [];
      const { sha256 } = file.content;
      return [{ content, at: 0, size: file.bytes.length, object, start: at, sha256 }];
    });
    if (pieces.length > 0) {
      await claimObjects(tx, [object]);
      await addPieces(tx, pieces);
    }
    const times = await writeFiles(
      step,
      files.map((file) => {
        const { upload: { dir, name, account, modified }, content: { size, sha256 } } = file;
        const place = { dir, name };
        return { place, owner: account, content: contents.get(file)!, size, sha256, modified };
      }),
    );
    await dropIdleUploads(
      tx,
      await Promise.all(files.map(async ({ upload }) => ({
        account: upload.account,
        parent: (await runGuard(step.view, (view) => view.folder(upload.dir)))!,
        name: encodeName(upload.name),
      }))),
    );
    const outcomes = group.map((file, i): StoredFile | BargeError => {
      const outcome = passed[i];
      if (outcome instanceof BargeError) return outcome;
      const { size, sha256 } = file.content;
      return { size, sha256, modified: times[files.indexOf(file)], replaced: outcome.replaced };
    });
    await this.#parts.outbox.add(
      tx,
      () =>
        group.flatMap(({ upload, content: { verified }, guard: { door = null } }, i) => {
          const stored = outcomes[i];
          if (stored instanceof BargeError) return [];
          const { dir, name } = upload;
          const account = step.accounts.get(upload.account)?.name ?? null;
          return [commitEvent({ ...stored, dir, name, account, verified, door })];
        }),
    );
    await recordFiles(
      tx,
      group.flatMap(({ guard }, i) => {
        const file = outcomes[i];
        return file instanceof BargeError ? [] : [[guard, file] as const];
      }),
    );
    return outcomes;
  }
}
