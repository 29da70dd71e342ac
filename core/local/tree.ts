// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
/** The tree on one machine: see core/storage/tree.ts. Its changes are in files beside this one. */
import type { FileContent, SmallFile } from "../storage/content.ts";
import type { StoredEntry } from "../storage/entry.ts";
import { type Place, relative } from "../storage/place.ts";
import type { ForeignEntry, Look, NamedEntry, NewFolder, OnHidden, Tree } from "../storage/tree.ts";
import type { Guard } from "../storage/view.ts";
import type { Commits } from "./commit.ts";
import { openDownload, openStaged, readAgain, readSmall } from "./download.ts";
import { storedEntry } from "./entry.ts";
import { foreignEntry } from "./foreign.ts";
import { look, lookAll } from "./look.ts";
import { mkdir } from "./mkdir.ts";
import { move } from "./move.ts";
import { continuable, discardDropped } from "./partial_upload.ts";
import type { Parts } from "./parts.ts";
import { remove } from "./remove.ts";
import { setModified } from "./set_modified.ts";
import { digestFile } from "./vault/digest.ts";
import { unnamedBelow } from "./vault/unnamed_below.ts";
import { LocalView } from "./view.ts";

/** The number of entries that are looked up at once. */
const pageEntries = 256;

export class LocalTree implements Tree {
  readonly #parts: Parts;
  readonly #commits: Commits;

  constructor(parts: Parts, commits: Commits) {
    this.#parts = parts;
    this.#commits = commits;
  }

  async check<T>(guard: Guard<T>): Promise<T> {
    return guard.check(new LocalView(this.#parts, look));
  }

  async entry(place: Place): Promise<StoredEntry | undefined> {
    return this.#entry(place);
  }

  async look(place: Place, account: number): Promise<Look> {
    const { reservations } = this.#parts;
    const row = reservations.unfinished(account, place);
    const partial = row && { offset: continuable(this.#parts, row), size: row.size };
    return { entry: this.#entry(place), partial };
  }

  async named(dir: string, names: readonly string[]): Promise<NamedEntry[]> {
    return this.#named(dir, names);
  }

  /** The names of a folder are held while it is read, to sort them; entries, a page at a time. */
  async *pages(place: Place, onHidden?: OnHidden): AsyncGenerator<NamedEntry[], void, void> {
    const names = await this.#parts.vault.names(place, undefined, onHidden);
    const dir = relative(place);
    for (let at = 0; at < names.length; at += pageEntries) {
      const page = this.#named(dir, names.slice(at, at + pageEntries));
      if (page.length > 0) yield page;
    }
  }

  async created(place: Place): Promise<number | undefined> {
    return this.#parts.vault.created(place);
  }

  foreign(place: Place, account: number): Promise<ForeignEntry | undefined> {
    return foreignEntry(this.#parts, place, account);
  }

  async unnamed(place: Place): Promise<string | undefined> {
    for await (const path of unnamedBelow(this.#parts.vault, place)) return path;
  }

  open(place: Place, offset: number): Promise<FileContent> {
    return openDownload(this.#parts, place, offset);
  }

  async openStaged(upload: number, modified: number): Promise<FileContent> {
    return openStaged(this.#parts, upload, modified);
  }

  async readSmall(place: Place, maxBytes: number): Promise<SmallFile | undefined> {
    return readSmall(this.#parts, place, maxBytes);
  }

  async readAgain(files: readonly (readonly [Place, SmallFile])[]): Promise<SmallFile[]> {
    return readAgain(this.#parts, files);
  }

  digest(
    place: Place,
    algorithm: "sha256" | "md5",
    signal?: AbortSignal,
  ): Promise<{ digest: string; size: number }> {
    return digestFile(this.#parts.vault, place, algorithm, Infinity, signal);
  }

  mkdir(place: Place, folder: NewFolder, guard: Guard): Promise<boolean> {
    return mkdir(this.#parts, this.#commits, place, folder, guard);
  }

  move(from: Place, to: Place, account: number, guard: Guard): Promise<void> {
    return move(this.#parts, this.#commits, { from, to, account }, guard);
  }

  remove(place: Place, account: number, guard: Guard): Promise<number> {
    return remove(this.#parts, this.#commits, { place, account }, guard);
  }

  async dropPartial(place: Place, account: number): Promise<boolean> {
    const ids = await this.#commits.enter(() => this.#parts.uploadsAt.drop(account, place));
    discardDropped(this.#parts, ids);
    return ids.length > 0;
  }

  setModified(place: Place, modified: number, guard: Guard): Promise<number> {
    return setModified(this.#parts, this.#commits, { place, modified }, guard);
  }

  #entry(place: Place): StoredEntry | undefined {
    const { found, row } = look(this.#parts, place);
    return found && storedEntry(found, row);
  }

  #named(dir: string, names: readonly string[]): NamedEntry[] {
    const rows = this.#parts.ledger.named(dir, names);
    return lookAll(this.#parts, dir, names, rows).flatMap(({ found, row }, i) =>
      found ? [{ name: names[i], entry: storedEntry(found, row) }] : []
    );
  }
}
