/**
 * Sends files to the bucket and writes their rows. Small files are sent in groups: their bytes in one object,
 * their rows in one transaction. A large file is sent in pieces. If it does not get its name within a day
 * after its last piece, the collector deletes its content.
 */
import { createHash, hash } from "node:crypto";
import { borrow, giveBack } from "../disk/buffer_pool.ts";
import { BargeError } from "../error.ts";
import { SharedBody } from "../shared/upload/body.ts";
import { change } from "../shared/tree/change.ts";
import { addContents, sealContent } from "../shared/tree/content_rows.ts";
import { type NewFile, writeFiles } from "../shared/tree/files.ts";
import { claimObjects, objectName } from "../shared/bucket/objects.ts";
import type { Parts } from "../shared/bucket/parts.ts";
import { addPieces } from "../shared/tree/pieces.ts";
import { reached } from "../storage/fault.ts";
import { relative } from "../storage/place.ts";
import type { Report } from "./report.ts";
import type { PassMark } from "./state.ts";
import { type Source, type SourceFile, unlessGone } from "./source.ts";

/** Files up to this size are sent together with others. */
const smallBytes = 256 * 1024;
/** The most files, and bytes, of one group. */
const maxFiles = 128;
const maxBytes = 8 * 1024 * 1024;
/** The bytes after which the pieces of a large file are recorded. */
const recordBytes = 256 * 1024 * 1024;
/** How often a file is read again if it changes while it is read. */
const attempts = 3;

/** A file whose row is to be written. */
interface Waiting {
  readonly file: SourceFile;
  readonly sha256: string;
  /** Its bytes, or the id of its content. */
  readonly body: Uint8Array | number;
}

export class Sender {
  readonly #source: Source;
  readonly #parts: Parts;
  readonly #owners: ReadonlyMap<number, number>;
  readonly #mark: PassMark;
  readonly #report: Report;
  #group: Waiting[] = [];
  #bytes = 0;

  /** @param owners the ids of accounts at the target, by those at the source */
  constructor(
    source: Source,
    parts: Parts,
    owners: ReadonlyMap<number, number>,
    mark: PassMark,
    report: Report,
  ) {
    this.#source = source;
    this.#parts = parts;
    this.#owners = owners;
    this.#mark = mark;
    this.#report = report;
  }

  /** Returns the id at the target of a file's or folder's owner. */
  ownerOf({ owner }: { readonly owner: number | null }): number | null {
    return owner === null ? null : this.#owners.get(owner) ?? null;
  }

  /** Writes the row of a file whose content the target has. */
  async name(file: SourceFile, sha256: string, content: number): Promise<void> {
    this.#group.push({ file, sha256, body: content });
    await this.#flushIfFull();
  }

  /** Sends a file. One that can't be read, or is damaged, is reported. */
  async send(first: SourceFile): Promise<void> {
    try {
      if (await this.#sendAny(first)) this.#report.files++;
    } catch (error) {
      this.#report.failed(relative(first), error);
    }
    await this.#flushIfFull();
  }

  /** Sends a file. @returns false when it is gone @throws {BargeError} `changed` when it changes each time */
  async #sendAny(first: SourceFile): Promise<boolean> {
    let file: SourceFile | undefined = first;
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (await this.#sendOnce(file)) return true;
      [file] = this.#source.files(file.dir, [file.name]);
      if (!file) return false;
    }
    throw new BargeError("changed", "it changes while it is read: the next pass takes it");
  }

  /** Tries to send a file. @returns false when it was changed meanwhile @throws {BargeError} `digest` */
  async #sendOnce(file: SourceFile): Promise<boolean> {
    return file.size <= smallBytes ? await this.#sendSmall(file) : await this.#sendLarge(file);
  }

  async #sendSmall(file: SourceFile): Promise<boolean> {
    const bytes = new Uint8Array(file.size);
    let size = 0;
    const whole = await this.#read(file, (part) => {
      if (size + part.length <= bytes.length) bytes.set(part, size);
      size += part.length;
    });
    if (!whole || size !== file.size) return false;
    const sha256 = hash("sha256", bytes, "hex");
    if (!this.#isRight(file, sha256)) return false;
    this.#group.push({ file, sha256, body: bytes });
    this.#bytes += size;
    return true;
  }

  async #sendLarge(file: SourceFile): Promise<boolean> {
    const { db } = this.#parts;
    const [content] = await db.transaction(async (tx) => {
      const ids = await addContents(tx, [{ size: null, sha256: null, verified: file.verified }]);
      await tx.all("SELECT discard(ARRAY[$1::bigint])", ids[0]);
      return ids;
    });
    using body = new SharedBody(this.#parts, {
      pieces: [],
      size: 0,
      digest: createHash("sha256"),
      record: (_gone, added) =>
        db.transaction(async (tx) => {
          await claimObjects(tx, added.map(({ object }) => object));
          await addPieces(tx, added.map((piece) => ({ ...piece, content })));
          await tx.all("SELECT discard(ARRAY[$1::bigint])", content);
        }),
      check: () => {},
      now: () => Promise.resolve(file.modified),
    });
    let unrecorded = 0;
    const whole = await this.#read(file, async (part) => {
      await body.write(part);
      unrecorded += part.length;
      if (unrecorded < recordBytes) return;
      unrecorded = 0;
      await body.record();
    });
    await body.flush();
    const { size } = body;
    if (!whole || size !== file.size) return false;
    const sha256 = body.prefix();
    if (!this.#isRight(file, sha256)) return false;
    await db.transaction((tx) =>
      sealContent(tx, content, { size, sha256, verified: file.verified })
    );
    this.#group.push({ file, sha256, body: content });
    return true;
  }

  /** Reads a file. @returns false when it is another one, or gone */
  async #read(
    file: SourceFile,
    each: (part: Uint8Array) => void | Promise<void>,
  ): Promise<boolean> {
    const { vault } = this.#source.parts;
    const opened = unlessGone(() => vault.open(file));
    if (!opened) return false;
    using handle = opened.file;
    if (opened.found.ino !== file.ino || opened.found.size !== file.size) return false;
    const buffer = borrow(file.size);
    try {
      for (;;) {
        const read = await handle.read(buffer);
        if (!read) break;
        this.#report.moved(read);
        await each(buffer.subarray(0, read));
      }
    } finally {
      giveBack(buffer);
    }
    const { size, modified, ino } = vault.find(file) ?? {};
    return size === file.size && modified === file.modified && ino === file.ino;
  }

  /** @returns false when the ledger has changed meanwhile @throws {BargeError} `digest` */
  #isRight(file: SourceFile, sha256: string): boolean {
    if (file.sha256 === null || file.sha256 === sha256) return true;
    const [now] = this.#source.files(file.dir, [file.name]);
    if (now?.sha256 !== file.sha256) return false;
    throw new BargeError(
      "digest",
      "is damaged: its bytes are not those of its digest; put it back from a backup, or keep it " +
        "with `barge verify --accept`",
    );
  }

  async #flushIfFull(): Promise<void> {
    if (this.#group.length >= maxFiles || this.#bytes >= maxBytes) await this.flush();
  }

  /** Sends the small files, and writes the rows of all files, that wait. */
  async flush(): Promise<void> {
    const group = this.#group;
    if (group.length === 0) return;
    const { db } = this.#parts;
    const object = await this.#sendBytes(group);
    const owners = group.map(({ file }) => this.ownerOf(file)).filter((id) => id !== null);
    await change(db, group.map(({ file }) => file), owners, async (step) => {
      const { tx, view } = step;
      await this.#mark.check(tx);
      const small = group.filter(({ body }) => typeof body !== "number");
      const ids = await addContents(
        tx,
        small.map(({ file: { size, verified }, sha256 }) => ({ size, sha256, verified })),
      );
      const contents = new Map(small.map((each, i) => [each, ids[i]]));
      let start = 0;
      const pieces = small.flatMap((each) => {
        const { file: { size }, sha256 } = each;
        const piece = { content: contents.get(each)!, at: 0, size, object, start, sha256 };
        start += size;
        return size === 0 ? [] : [piece];
      });
      if (pieces.length > 0) {
        await claimObjects(tx, [object]);
        await addPieces(tx, pieces);
      }
      await view.prefetch(group.map(({ file }) => file));
      await writeFiles(step, group.map((each) => this.#row(each, contents.get(each))));
    });
    this.#group = [];
    this.#bytes = 0;
  }

  /** Sends the bytes of small files in one object. @returns its id; 0 for no bytes */
  async #sendBytes(group: readonly Waiting[]): Promise<number> {
    if (this.#bytes === 0) return 0;
    const all = new Uint8Array(this.#bytes);
    let at = 0;
    for (const { body } of group) {
      if (typeof body === "number") continue;
      all.set(body, at);
      at += body.length;
    }
    const object = await this.#parts.objects.take();
    await this.#parts.bucket.put(objectName(object), all, hash("sha256", all, "hex"));
    reached("sent");
    return object;
  }

  #row({ file, sha256, body }: Waiting, content: number | undefined): NewFile {
    const { dir, name, size, modified, created } = file;
    return {
      place: { dir, name },
      owner: this.ownerOf(file),
      content: content ?? body as number,
      ...{ size, sha256, modified, created },
    };
  }
}
