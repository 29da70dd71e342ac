/**
 * Small files whose bytes are all in memory. Files that wait at the same time are stored together: their
 * bytes in one object, their rows in one transaction. Each of them succeeds or fails by itself.
 */
import { hash } from "node:crypto";
import { BargeError, typed } from "../../error.ts";
import { reached } from "../../storage/fault.ts";
import { relative } from "../../storage/place.ts";
import type { Content, NewUpload, StoredFile, WriteGuard } from "../../storage/uploads.ts";
import { beyond, type Change, change } from "../tree/change.ts";
import { addContents } from "../tree/content_rows.ts";
import { writeFiles } from "../tree/files.ts";
import { encodeName } from "../database/name.ts";
import { claimObjects, objectName } from "../bucket/objects.ts";
import type { Parts } from "../bucket/parts.ts";
import { addPieces } from "../tree/pieces.ts";
import { dropIdleUploads } from "../tree/upload_rows.ts";
import { checkGuard, runGuard } from "../tree/view.ts";

export interface SmallFile {
  readonly upload: NewUpload;
  readonly content: Content;
  readonly bytes: Uint8Array;
  readonly guard: WriteGuard;
}

interface Waiting extends SmallFile {
  readonly resolve: (file: StoredFile) => void;
  readonly reject: (error: unknown) => void;
}

/** The most files, and bytes, of one group. */
const maxFiles = 128;
const maxBytes = 8 * 1024 * 1024;
/** The groups that are under way at the same time. */
const maxGroups = 2;

export class SmallFiles {
  readonly #parts: Parts;
  readonly #waiting: Waiting[] = [];
  #groups = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Stores a file: see `Uploads.store`. */
  store(file: SmallFile): Promise<StoredFile> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...file, resolve, reject });
      queueMicrotask(() => this.#next());
    });
  }

  #next(): void {
    while (this.#groups < maxGroups && this.#waiting.length > 0) {
      this.#groups++;
      this.#storeGroup(this.#take()).finally(() => {
        this.#groups--;
        this.#next();
      });
    }
  }

  /** Takes the files of the next group: no two of the same place. */
  #take(): Waiting[] {
    const group: Waiting[] = [];
    const places = new Set<string>();
    let bytes = 0;
    while (this.#waiting.length > 0 && group.length < maxFiles) {
      const [file] = this.#waiting;
      const place = relative(file.upload);
      bytes += file.bytes.length;
      if (places.has(place) || group.length > 0 && bytes > maxBytes) break;
      places.add(place);
      group.push(this.#waiting.shift()!);
    }
    return group;
  }

  async #storeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const object = await this.#send(group);
      reached("sent");
      const places = group.map(({ upload }) => upload);
      const accounts = group.map(({ upload }) => upload.account);
      const outcomes = await change(
        this.#parts.db,
        places,
        accounts,
        (step) => this.#write(step, group, object),
      );
      for (const [i, file] of group.entries()) {
        const outcome = outcomes[i];
        if (outcome instanceof BargeError) file.reject(outcome);
        else file.resolve(outcome);
      }
    } catch (error) {
      for (const file of group) file.reject(typed(error));
    }
  }

  /** Sends all bytes in one object. @returns its id */
  async #send(group: readonly Waiting[]): Promise<number> {
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
    group: readonly Waiting[],
    object: number,
  ): Promise<(StoredFile | BargeError)[]> {
    const { tx } = step;
    const passed = await this.#admit(step, group);
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
    return group.map((file, i): StoredFile | BargeError => {
      const outcome = passed[i];
      if (outcome instanceof BargeError) return outcome;
      const { size, sha256 } = file.content;
      return { size, sha256, modified: times[files.indexOf(file)], replaced: outcome.replaced };
    });
  }

  /** Runs each guard, and checks that the quota has room for all files that pass together. */
  async #admit(
    { view, accounts }: Change,
    group: readonly Waiting[],
  ): Promise<({ readonly replaced: boolean } | BargeError)[]> {
    await view.prefetch(group.map(({ upload }) => upload));
    const sums = new Map(accounts);
    const outcomes: ({ readonly replaced: boolean } | BargeError)[] = [];
    for (const { upload, content, guard } of group) {
      try {
        const existing = await checkGuard(view, guard);
        await runGuard(view, () => view.needFolder(upload));
        const node = await runGuard(view, () => view.node(upload));
        const account = sums.get(upload.account);
        if (!account) throw new BargeError("denied", "the account is gone");
        const own = node && !node.folder && node.owner === upload.account;
        const more = { bytes: content.size - (own ? node.size : 0), entries: own ? 0 : 1 };
        const refusal = beyond(account, more);
        if (refusal) throw refusal;
        sums.set(upload.account, {
          ...account,
          used: account.used + more.bytes,
          entries: account.entries + more.entries,
        });
        outcomes.push({ replaced: existing !== undefined });
      } catch (error) {
        outcomes.push(typed(error));
      }
    }
    return outcomes;
  }
}
