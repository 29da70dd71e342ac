/**
 * Does the ledger agree with the disk? `barge quota verify` and `barge verify`, also beside a running
 * server: what is said of a file is said under the write lock, so that no commit is caught half-way.
 *
 *   facts      is it there, and of the size, time and inode that the ledger has?
 *   contents   has it the bytes of its digest? Read outside the lock, judged under it: whatever was
 *              replaced meanwhile is looked at again
 *   sums       is every account charged what its files and uploads come to?
 *
 * With `repair` the ledger follows the disk. The files themselves are never changed, and no digest is
 * replaced because the bytes don't fit it any more: that is damage, and the digest is what tells.
 */
import { BargeError } from "../error.ts";
import { sameFile } from "../local/entry.ts";
import type { FileRow } from "../local/ledger/ledger.ts";
import { digestFile } from "../local/vault/digest.ts";
import { type Place, relative } from "../storage/place.ts";
import { compareFolder, homeOwner } from "./reconcile_folder.ts";
import { type Found, isBehindLink } from "../local/vault/vault.ts";
import type { OnHidden } from "../storage/tree.ts";
import type { Store } from "../local/store.ts";

/** The kind of a difference. Stable: printed in `--json`. */
export type ProblemKind =
  /** In the ledger, and not on disk. */
  | "missing"
  /** On disk, and not in the ledger: put there by hand. */
  | "unknown"
  /** Its size, time or inode are not the ledger's: changed by hand. */
  | "changed"
  /** Size and time are the ledger's, the bytes are not. */
  | "damaged"
  /** On disk, under a name that is not valid UTF-8: no door can show it, nor can barge read it. */
  | "unnamed"
  /** The system does not let us read it. */
  | "unreadable"
  /** An account's sums are not what its files and uploads come to. */
  | "sums"
  /** In staging, and nobody's. */
  | "leftover"
  /** An upload in the ledger of which nothing is staged. */
  | "empty-upload"
  /** A commit, move or removal whose worker died in the middle of it. */
  | "cut-off";

/** One thing that differs. */
export interface Problem {
  readonly kind: ProblemKind;
  /** Below the data directory, or an account's name. */
  readonly path: string;
  readonly what: string;
  readonly repaired: boolean;
  /** SHA-256 in hex, of `damaged` ones: what the ledger has, and what was read. */
  readonly expected: string | null;
  readonly found: string | null;
}

/** How far it is. */
export type ReconcileEvent =
  | { readonly type: "plan"; readonly files: number; readonly bytes: number }
  /** `skipped`: bytes of it that will not be read. */
  | { readonly type: "start"; readonly path: string; readonly skipped: number }
  | { readonly type: "bytes"; readonly count: number }
  | { readonly type: "done" };

export interface ReconcileOptions {
  /** Bring the ledger in line with the disk: the files themselves are never changed. */
  readonly repair: boolean;
  /** Read every file, and compare it with its digest. */
  readonly contents?: boolean;
  /** Damaged files, by their path below the data directory, to be taken as they are now. */
  readonly accept?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
  readonly onProblem?: (problem: Problem) => void;
  readonly onEvent?: (event: ReconcileEvent) => void;
}

export interface Reconciled {
  /** Files that were looked at. */
  readonly checked: number;
  /** Bytes that were read. */
  readonly bytes: number;
  readonly problems: Problem[];
}

/** @returns how many files were looked at, and all that differs */
export async function reconcile(store: Store, options: ReconcileOptions): Promise<Reconciled> {
  return await new Reconciliation(store, options).run();
}

type Facts = Pick<Problem, "kind" | "path" | "what" | "repaired"> & Partial<Problem>;

/** Nothing was wrong any more; done; not done; a copy by hand that has not the bytes of its digest. */
type Outcome = "none" | "repaired" | "open" | { readonly expected: string };

const damaged = "is damaged: its bytes are not those of its digest";

/** How often a file that is replaced while it is read is read again. */
const attempts = 3;

class Reconciliation {
  readonly #store: Store;
  readonly #options: ReconcileOptions;
  readonly #problems: Problem[] = [];
  readonly #unreadable = new Set<string>();
  #checked = 0;
  #bytes = 0;

  constructor(store: Store, options: ReconcileOptions) {
    this.#store = store;
    this.#options = options;
  }

  async run(): Promise<Reconciled> {
    const { folders, ledger } = this.#store;
    const { contents, onEvent, signal } = this.#options;
    const { files, bytes } = ledger.totals();
    onEvent?.({ type: "plan", files, bytes: contents ? bytes : 0 });
    for (const dir of ledger.folders()) {
      signal?.throwIfAborted();
      await this.#compareFolder(dir);
    }
    for (const space of ["homes", "public"]) {
      for await (const dir of this.#walk(space)) {
        if (folders.id(dir) === undefined) await this.#compareFolder(dir);
      }
    }
    // The deepest first: with a folder's row go those of its files.
    for (const dir of ledger.folders("deepest first")) this.#compareFolderRow(dir);
    for (const space of ["homes", "public"]) {
      for await (const dir of this.#walk(space)) {
        if (folders.id(dir) === undefined) this.#compareFolderRow(dir);
      }
    }
    this.#compareSums();
    return { checked: this.#checked, bytes: this.#bytes, problems: this.#problems };
  }

  async *#walk(dir: string): AsyncGenerator<string, void, void> {
    this.#options.signal?.throwIfAborted();
    yield dir;
    const onHidden: OnHidden = (name, type) => {
      if (type === "unnamed") this.#unnamed(`${dir}/${name}`);
    };
    for (const name of await this.#names(dir, "dir", onHidden)) yield* this.#walk(`${dir}/${name}`);
  }

  async #names(dir: string, only: "file" | "dir", onHidden?: OnHidden): Promise<string[]> {
    const cut = dir.lastIndexOf("/");
    const place = { dir: dir.slice(0, Math.max(0, cut)), name: dir.slice(cut + 1) };
    try {
      return await this.#store.vault.names(place, only, onHidden);
    } catch (error) {
      if (!notServed(error)) this.#cantRead(dir, error);
      return [];
    }
  }

  async #compareFolder(dir: string): Promise<void> {
    if (dir === "homes") return; // what lies beside the homes is nobody's
    const { onEvent, signal } = this.#options;
    const onDisk = new Set(await this.#names(dir, "file"));
    for (const name of this.#both(dir, onDisk)) {
      signal?.throwIfAborted();
      const place = { dir, name };
      try {
        await this.#compareFile(place);
      } catch (error) {
        this.#cantRead(relative(place), error);
      }
      this.#checked++;
      onEvent?.({ type: "done" });
    }
  }

  /** The files on disk, then those that only the ledger has. */
  *#both(dir: string, onDisk: ReadonlySet<string>): Generator<string, void, void> {
    yield* onDisk;
    for (const { name } of this.#store.ledger.filesIn(dir)) if (!onDisk.has(name)) yield name;
  }

  #compareFolderRow(dir: string): void {
    const { repair } = this.#options;
    try {
      const wrong = compareFolder(this.#store, dir, repair);
      if (wrong) this.#report({ ...wrong, path: dir, repaired: repair });
    } catch (error) {
      this.#cantRead(dir, error);
    }
  }

  async #compareFile(place: Place): Promise<void> {
    const { contents, onEvent } = this.#options;
    const path = relative(place);
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const wrong = difference(this.#store, place);
      const row = this.#store.ledger.file(place);
      if (wrong || !contents || !row) {
        onEvent?.({ type: "start", path, skipped: contents ? row?.size ?? 0 : 0 });
        if (wrong) await this.#takeIn(place, wrong);
        return;
      }
      if (attempt === 1) onEvent?.({ type: "start", path, skipped: 0 });
      const digest = await this.#digest(place);
      if (digest === row.sha256) return;
      if (digest !== undefined && this.#judge(row, digest)) return;
    }
    // Replaced again and again: each time by bytes whose digest was taken when they came.
  }

  /** The bytes are not what the digest says. @returns false when the file was replaced meanwhile */
  #judge(row: FileRow, digest: string): boolean {
    const { db, ledger } = this.#store;
    const path = relative(row);
    const repaired = this.#accepts(path);
    const still = db.transaction(() => {
      const now = ledger.file(row);
      const found = see(this.#store, row);
      if (!now || !found || !sameFile(now, found)) return false;
      if (now.sha256 !== row.sha256 || !sameFile(row, found)) return false;
      if (repaired) ledger.enter({ ...now, sha256: digest, verified: false });
      return true;
    });
    if (!still) return false;
    const what = repaired ? `${damaged}; accepted as they are` : damaged;
    this.#report({ kind: "damaged", path, what, repaired, expected: row.sha256, found: digest });
    return true;
  }

  /** The ledger follows the disk, if it may. */
  async #takeIn(place: Place, { kind, what }: Difference): Promise<void> {
    const path = relative(place);
    const store = this.#store;
    if (!this.#options.repair) return this.#report({ kind, path, what, repaired: false });
    // The digest is taken outside the lock; entered only if the file is still the same then.
    const before = see(store, place);
    const sha256 = before && await this.#digest(place);
    const outcome = store.db.transaction((): Outcome => {
      if (!difference(store, place)) return "none";
      const found = see(store, place);
      if (!found) {
        store.ledger.forgetFile(place);
        return "repaired";
      }
      const still = before && found.ino === before.ino && found.modified === before.modified;
      if (!still || !sha256) return "open"; // somebody is writing it at this moment
      const row = store.ledger.file(place);
      const same = row?.sha256 === sha256;
      if (row && !same && sameButInode(row, found) && !this.#accepts(path)) {
        return { expected: row.sha256 };
      }
      const { size, modified, ino } = found;
      const owner = row?.owner ?? homeOwner(store, place.dir);
      const verified = same && row.verified !== 0;
      store.ledger.enter({ ...place, owner, size, sha256, modified, ino, verified });
      return "repaired";
    });
    if (typeof outcome === "object") {
      const { expected } = outcome;
      const facts = { kind: "damaged", path, what: damaged, repaired: false } as const;
      this.#report({ ...facts, expected, found: sha256 });
    } else if (outcome !== "none") {
      this.#report({ kind, path, what, repaired: outcome === "repaired" });
    }
  }

  #accepts(path: string): boolean {
    return this.#options.accept?.has(path) ?? false;
  }

  /** @returns undefined for a file that is gone again */
  async #digest(place: Place): Promise<string | undefined> {
    const { onEvent, signal } = this.#options;
    const onRead = (count: number) => {
      this.#bytes += count;
      onEvent?.({ type: "bytes", count });
    };
    try {
      const { vault } = this.#store;
      return (await digestFile(vault, place, "sha256", Infinity, signal, onRead)).digest;
    } catch (error) {
      if (notServed(error)) return undefined;
      throw error;
    }
  }

  #compareSums(): void {
    const { db, ledger } = this.#store;
    const { repair: repaired } = this.#options;
    db.transaction(() => {
      for (const { account: path, id, used, reserved, entries } of ledger.wrongSums()) {
        const what = `its sums are wrong: used should be ${used}, reserved ${reserved}, ` +
          `entries ${entries}`;
        if (repaired) ledger.correct(id, used, reserved);
        this.#report({ kind: "sums", path, what, repaired });
      }
    });
  }

  #unnamed(path: string): void {
    const what = "its name is not valid UTF-8: no door shows it; rename it by hand";
    this.#report({ kind: "unnamed", path, what, repaired: false });
  }

  /** Reports a failure on one file, and lets the check continue with the others. */
  #cantRead(path: string, error: unknown): void {
    const known = error instanceof BargeError && (error.kind === "io" || error.kind === "denied");
    if (!known) throw error;
    if (this.#unreadable.has(path)) return;
    this.#unreadable.add(path);
    const what = `can't be read: ${error.message}`;
    this.#report({ kind: "unreadable", path, what, repaired: false });
  }

  #report(facts: Facts): void {
    const problem: Problem = { expected: null, found: null, ...facts };
    this.#problems.push(problem);
    this.#options.onProblem?.(problem);
  }
}

/** The file that a door would serve there. */
function see(store: Store, place: Place): Found | undefined {
  try {
    const found = store.vault.find(place);
    return found?.type === "file" ? found : undefined;
  } catch (error) {
    if (notServed(error)) return undefined;
    throw error;
  }
}

/** Gone, or behind a symbolic link; not what the system itself would not let us see. */
function notServed(error: unknown): boolean {
  if (!(error instanceof BargeError)) return false;
  const { kind } = error;
  return kind === "not-found" || kind === "no-directory" || kind === "exists" ||
    isBehindLink(error);
}

/** A copy of it, if only its bytes are the same, too: what a backup puts back. */
function sameButInode(row: FileRow, found: Found): boolean {
  return row.ino !== found.ino && sameFile({ ...row, ino: found.ino }, found);
}

type Difference = Pick<Problem, "kind" | "what">;

/** Returns the difference between a file and its row at one moment; undefined for none. */
function difference(store: Store, place: Place): Difference | undefined {
  const once = (): Difference | undefined => {
    const row: FileRow | undefined = store.ledger.file(place);
    const found = see(store, place);
    if (!found) return row && { kind: "missing", what: "in the ledger, and not on disk" };
    if (!row) return { kind: "unknown", what: "on disk, and not in the ledger" };
    if (sameFile(row, found)) return undefined;
    if (sameButInode(row, found)) {
      return { kind: "changed", what: "was replaced by hand, by one of the same size and time" };
    }
    const what = row.size === found.size
      ? "was changed by hand"
      : `was changed by hand: ${found.size} bytes, ${row.size} in the ledger`;
    return { kind: "changed", what };
  };
  return once() && store.db.transaction(once);
}
