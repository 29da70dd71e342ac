/**
 * One pass over the files of a data directory. It compares each folder with the target, makes missing
 * folders, and sends the files whose digest, time or owner differ. Files that are equal are not read again.
 */
import { BargeError } from "../error.ts";
import { digestFile } from "../local/vault/digest.ts";
import { encodeName, encodePath } from "../shared/database/name.ts";
import { folderId, nameOf, type NodeRow, nodesNamed } from "../shared/tree/node_rows.ts";
import type { Parts } from "../shared/bucket/parts.ts";
import { pageRows } from "../storage/pages.ts";
import { type Place, relative } from "../storage/place.ts";
import type { FreeContents } from "./gone.ts";
import type { Report } from "./report.ts";
import { Sender } from "./sender.ts";
import type { PassMark } from "./state.ts";
import { type Names, type Source, type SourceFile, type SourceFolder, spaces } from "./source.ts";

/** The bytes and entries of an account, as the pass saw them at the source. */
export interface SeenSums {
  used: number;
  entries: number;
}

export class Pass {
  readonly #source: Source;
  readonly #parts: Parts;
  readonly #report: Report;
  readonly #sender: Sender;
  readonly #free: FreeContents;
  readonly #mark: PassMark;
  /** The times that folders have at the source. */
  #times: SourceFolder[] = [];
  /** The sums of the accounts at the source, by the ids of the accounts at the target. */
  readonly seen = new Map<number, SeenSums>();

  /** @param owners the ids of accounts at the target, by those at the source */
  constructor(
    source: Source,
    parts: Parts,
    owners: ReadonlyMap<number, number>,
    free: FreeContents,
    mark: PassMark,
    report: Report,
  ) {
    this.#source = source;
    this.#parts = parts;
    this.#report = report;
    this.#free = free;
    this.#mark = mark;
    this.#sender = new Sender(source, parts, owners, mark, report);
  }

  async run(): Promise<void> {
    const { files, bytes } = this.#source.parts.ledger.totals();
    this.#report.plan(files, bytes);
    for (const folder of this.#source.folders("", spaces)) await this.#folder(folder);
    await this.#sender.flush();
    await this.#setTimes();
  }

  async #folder(folder: SourceFolder): Promise<void> {
    const dir = relative(folder);
    const names = await this.#names(dir);
    const made: SourceFolder[] = [];
    for (const page of pagesOf(names.folders)) made.push(...await this.#makeFolders(dir, page));
    for (const page of pagesOf(names.files)) await this.#sendFiles(dir, page);
    this.#times.push(folder);
    for (const below of made) await this.#folder(below);
  }

  /** Returns the names in a folder; none where it can't be read, which is reported. */
  async #names(dir: string): Promise<Names> {
    try {
      const names = await this.#source.names(dir);
      for (const name of names.unnamed) this.#report.failed(`${dir}/${name}`, unnamed());
      return names;
    } catch (error) {
      this.#report.failed(dir, error);
      return { files: [], folders: [], unnamed: [] };
    }
  }

  /** Makes the folders that are missing at the target, and corrects the owners of the others. */
  async #makeFolders(dir: string, names: readonly string[]): Promise<SourceFolder[]> {
    const { db } = this.#parts;
    const existing = byName(await nodesNamed(db, dir, names));
    const folders = this.#source.folders(dir, names)
      .filter((folder) => this.#isFree(folder, existing.get(folder.name), true));
    const wrong = folders.filter((folder) => {
      const owner = this.#sender.ownerOf(folder);
      this.#see(owner, 0);
      const row = existing.get(folder.name);
      return row === undefined || row.owner !== owner;
    });
    if (wrong.length === 0) return folders;
    const parent = (await folderId(db, dir))!;
    await this.#mark.transaction((tx) =>
      tx.all(
        `INSERT INTO node (parent, name, folder, owner, modified, created)
       SELECT $1::bigint, decode(name, 'hex'), true, owner, modified,
         coalesce(to_timestamp(created / 1000.0), now())
       FROM jsonb_to_recordset($2::text::jsonb)
         AS f (name text, owner bigint, modified bigint, created bigint)
       ON CONFLICT (parent, name) DO UPDATE SET owner = excluded.owner`,
        parent,
        JSON.stringify(wrong.map((folder) => ({
          ...folder,
          name: encodeName(folder.name),
          owner: this.#sender.ownerOf(folder),
        }))),
      )
    );
    return folders;
  }

  /** Returns whether the target has no entry of another type at a place; else reports that entry. */
  #isFree(place: Place, row: NodeRow | undefined, folder: boolean): boolean {
    if (row === undefined || row.folder === folder) return true;
    const why = "it was replaced while the pass went on: the next one takes it";
    this.#report.failed(relative(place), new BargeError("changed", why));
    return false;
  }

  async #sendFiles(dir: string, names: readonly string[]): Promise<void> {
    const existing = byName(await nodesNamed(this.#parts.db, dir, names));
    for (const file of this.#source.files(dir, names)) {
      const row = existing.get(file.name);
      if (!this.#isFree(file, row, false)) continue;
      this.#see(this.#sender.ownerOf(file), file.size);
      await this.#sendFile(file, row);
    }
  }

  async #sendFile(file: SourceFile, row: NodeRow | undefined): Promise<void> {
    const known = row?.content ? row : undefined;
    const sha256 = file.sha256 ??
      (known?.size === file.size ? await this.#digest(file) : undefined);
    const content = known && known.sha256 === sha256 && known.size === file.size
      ? known.content!
      : this.#freeContent(file, sha256);
    this.#report.start(file, content === undefined ? 0 : file.size);
    const same = known?.content === content && known?.modified === file.modified &&
      known.owner === this.#sender.ownerOf(file);
    if (content === undefined) await this.#sender.send(file);
    else if (!same) await this.#sender.name(file, sha256!, content);
    else this.#report.kept++;
    this.#report.done();
  }

  /** Returns content that was removed from another name, and has a digest. */
  #freeContent({ size }: SourceFile, sha256: string | undefined): number | undefined {
    const free = sha256 === undefined ? undefined : this.#free.get(sha256);
    return free?.size === size ? free.content : undefined;
  }

  /** Returns the digest of a file that the ledger does not know; undefined where it can't be read. */
  async #digest(file: SourceFile): Promise<string | undefined> {
    try {
      const { vault } = this.#source.parts;
      const { signal } = this.#report;
      return (await digestFile(vault, file, "sha256", Infinity, signal)).digest;
    } catch {
      return undefined; // sending it reports the reason
    }
  }

  #see(owner: number | null, bytes: number): void {
    if (owner === null) return;
    const { used, entries } = this.seen.get(owner) ?? { used: 0, entries: 0 };
    this.seen.set(owner, { used: used + bytes, entries: entries + 1 });
  }

  /** Gives folders the times that they have at the source, which the writes in them have changed. */
  async #setTimes(): Promise<void> {
    for (const folders of pagesOf(this.#times)) {
      await this.#mark.transaction((tx) =>
        tx.all(
          `UPDATE node SET modified = f.modified
         FROM jsonb_to_recordset($1::text::jsonb) AS f (path text, modified bigint)
         WHERE node.id = folder_at(f.path) AND node.modified <> f.modified`,
          JSON.stringify(folders.map((folder) => (
            { path: encodePath(relative(folder)), modified: folder.modified }
          ))),
        )
      );
    }
    this.#times = [];
  }
}

function unnamed(): BargeError {
  return new BargeError(
    "denied",
    "its name is not valid UTF-8: no door shows it; rename it by hand",
  );
}

function byName(rows: readonly NodeRow[]): Map<string, NodeRow> {
  return new Map(rows.map((row) => [nameOf(row), row]));
}

function* pagesOf<T>(items: readonly T[]): Generator<readonly T[], void, void> {
  for (let at = 0; at < items.length; at += pageRows) yield items.slice(at, at + pageRows);
}
