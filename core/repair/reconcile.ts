/**
 * Compares the ledger with the disk: `barge quota verify` and `barge verify`, also beside a running
 * server. Each difference is checked again under the write lock, so that no commit under way is reported.
 *
 *   facts      size, time and inode of each file agree with the ledger
 *   contents   the bytes of each file have the ledger's digest; they are read without the lock, and
 *              again if the file was replaced meanwhile
 *   sums       each account's sums agree with its files and uploads
 *
 * A repair changes the ledger, and never a file. It keeps the digest of damaged bytes, which alone shows
 * the damage.
 */
import { counted } from "../counted.ts";
import { BargeError } from "../error.ts";
import { sameFile } from "../local/entry.ts";
import type { TreeOrder } from "../local/ledger/folders.ts";
import type { FileRow } from "../local/ledger/ledger.ts";
import { digestFile } from "../local/vault/digest.ts";
import { Pacer } from "../storage/verify/pacer.ts";
import { folderOf, type Place, relative } from "../storage/place.ts";
import type { Problem, ReconcileEvent } from "../storage/problem.ts";
import { compareOrder } from "./order.ts";
import { compareFolder, homeOwner } from "./reconcile_folder.ts";
import { type Found, isBehindLink } from "../local/vault/vault.ts";
import type { OnHidden } from "../storage/tree.ts";
import type { Store } from "../local/store.ts";

export interface ReconcileOptions {
  /** Change the ledger where it differs from the disk. */
  readonly repair: boolean;
  /** Read every file, and compare it with its digest. */
  readonly contents?: boolean;
  /** Damaged files, by their path below the data directory, whose bytes get a new digest. */
  readonly accept?: ReadonlySet<string>;
  /** The path of the last file that an earlier check has compared: this one goes on from there. Default: none. */
  readonly after?: string;
  /** The most bytes to read in a second. Default: no bound. */
  readonly maxBytesPerSecond?: number;
  readonly signal?: AbortSignal;
  /** Called for each compared file in a folder of the ledger, in the order of {@link compareOrder}. */
  readonly onChecked?: (path: string) => Promise<void> | void;
  readonly onProblem?: (problem: Problem) => void;
  readonly onEvent?: (event: ReconcileEvent) => void;
}

export interface Reconciled {
  /** Compared files. */
  readonly checked: number;
  /** Read bytes. */
  readonly bytes: number;
  /** Copies with the recorded bytes, as after a restore, that a repair has entered in the ledger. */
  readonly copied: number;
  readonly problems: Problem[];
}

/** Compares the ledger with the disk. */
export async function reconcile(store: Store, options: ReconcileOptions): Promise<Reconciled> {
  return await new Reconciliation(store, options).run();
}

type Facts = Pick<Problem, "kind" | "path" | "what" | "repaired"> & Partial<Problem>;

/** `none`: the difference is gone. `expected`: the ledger's digest, where only inode and bytes differ. */
type Outcome =
  | "none"
  | "copied"
  | "repaired"
  | "open"
  | { readonly expected: string; readonly accepted: boolean };

const damaged = "is damaged: its bytes are not those of its digest";
const copy = "is a copy of the file in the ledger, of the same size and time";

/** The fewest bytes that a file counts as, so that the number of files in a second is bounded, too. */
const minFileBytes = 16 * 1024;

/** How often a file is read if it is replaced meanwhile. */
const attempts = 3;

class Reconciliation {
  readonly #store: Store;
  readonly #options: ReconcileOptions;
  readonly #problems: Problem[] = [];
  readonly #unreadable = new Set<string>();
  readonly #pacer: Pacer;
  /** The place of {@link ReconcileOptions.after}. */
  readonly #after: Place | undefined;
  #checked = 0;
  #bytes = 0;
  #copied = 0;

  constructor(store: Store, options: ReconcileOptions) {
    this.#store = store;
    this.#options = options;
    this.#pacer = new Pacer(options.maxBytesPerSecond, options.signal);
    const { after = "" } = options;
    const end = after.lastIndexOf("/");
    this.#after = after === ""
      ? undefined
      : { dir: after.slice(0, end), name: after.slice(end + 1) };
  }

  async run(): Promise<Reconciled> {
    const { contents, onEvent, signal } = this.#options;
    const { files, bytes } = this.#store.ledger.totals();
    onEvent?.({ type: "plan", files, bytes: contents ? bytes : 0 });
    for await (const dir of this.#folders("deepest last", true)) {
      signal?.throwIfAborted();
      await this.#compareFiles(dir);
    }
    // A folder's row is removed after those of its files and subfolders.
    for await (const dir of this.#folders("deepest first")) this.#compareFolder(dir);
    this.#compareSums();
    const [checked, copied, problems] = [this.#checked, this.#copied, this.#problems];
    return { checked, bytes: this.#bytes, copied, problems };
  }

  /**
   * Yields the ledger's folders, then those that only the disk has.
   *
   * @param reportsUnnamed whether names on the disk that are not valid UTF-8 are reported
   */
  async *#folders(order: TreeOrder, reportsUnnamed = false): AsyncGenerator<string, void, void> {
    const { folders, ledger } = this.#store;
    yield* ledger.folders(order);
    for (const space of ["homes", "public"]) {
      for await (const dir of this.#walk(space, reportsUnnamed)) {
        if (folders.id(dir) === undefined) yield dir;
      }
    }
  }

  async *#walk(dir: string, reportsUnnamed: boolean): AsyncGenerator<string, void, void> {
    this.#options.signal?.throwIfAborted();
    yield dir;
    const onHidden: OnHidden = (name, type) => {
      if (type !== "unnamed" || !reportsUnnamed) return;
      const what = "its name is not valid UTF-8: no door shows it; rename it by hand";
      this.#report({ kind: "unnamed", path: `${dir}/${name}`, what, repaired: false });
    };
    for (const name of await this.#names(dir, "dir", onHidden)) {
      yield* this.#walk(`${dir}/${name}`, reportsUnnamed);
    }
  }

  async #names(dir: string, only: "file" | "dir", onHidden?: OnHidden): Promise<string[]> {
    try {
      return await this.#store.vault.names(folderOf({ dir, name: "" }), only, onHidden);
    } catch (error) {
      if (!notServed(error)) this.#cantRead(dir, error);
      return [];
    }
  }

  async #compareFiles(dir: string): Promise<void> {
    if (dir === "homes") return; // files beside the homes belong to no account
    const { onEvent, onChecked, signal } = this.#options;
    const isRecorded = this.#store.folders.id(dir) !== undefined;
    const order = isRecorded && this.#after ? compareOrder(dir, this.#after.dir) : undefined;
    if (order !== undefined && order < 0) return;
    const all = new Set(await this.#names(dir, "file"));
    for (const { name } of this.#store.ledger.filesIn(dir)) all.add(name);
    for (const name of [...all].sort()) {
      if (order === 0 && name <= this.#after!.name) continue;
      signal?.throwIfAborted();
      const place = { dir, name };
      await this.#pacer.admit(minFileBytes);
      try {
        await this.#compareFile(place);
      } catch (error) {
        this.#cantRead(relative(place), error);
      }
      this.#checked++;
      onEvent?.({ type: "done" });
      if (isRecorded) await onChecked?.(relative(place));
    }
  }

  #compareFolder(dir: string): void {
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
        const skipped = contents && !wrong?.isCopy ? row?.size ?? 0 : 0;
        onEvent?.({ type: "start", path, skipped });
        if (wrong) await this.#enter(place, wrong);
        return;
      }
      if (attempt === 1) onEvent?.({ type: "start", path, skipped: 0 });
      const digest = await this.#digest(place);
      if (digest === row.sha256) return;
      if (digest !== undefined && this.#reportDamaged(row, digest)) return;
    }
    // The file was replaced each time, by bytes whose digest was computed on arrival.
  }

  /** Reports a damaged file. @returns false when the file was replaced meanwhile */
  #reportDamaged(row: FileRow, digest: string): boolean {
    const { db, ledger } = this.#store;
    const path = relative(row);
    const repaired = this.#accepts(path);
    const same = db.transaction(() => {
      const now = ledger.file(row);
      const found = see(this.#store, row);
      if (!now || !found || !sameFile(now, found) || !sameFile(row, found)) return false;
      if (now.sha256 !== row.sha256) return false;
      if (repaired) ledger.enter({ ...now, sha256: digest, verified: false });
      return true;
    });
    if (!same) return false;
    this.#reportDamage(path, repaired, row.sha256, digest);
    return true;
  }

  #reportDamage(
    path: string,
    repaired: boolean,
    expected: string,
    found: string | null = null,
  ): void {
    const what = repaired ? `${damaged}; accepted as they are` : damaged;
    this.#report({ kind: "damaged", path, what, repaired, expected, found });
  }

  /**
   * Reports a difference; a repair enters the file in the ledger, or removes its row. A copy is read
   * without a repair, too, since it may be damaged.
   */
  async #enter(place: Place, first: Difference): Promise<void> {
    const path = relative(place);
    const store = this.#store;
    const { repair, contents } = this.#options;
    if (!repair && !(contents && first.isCopy)) {
      const { kind, what } = first;
      return this.#report({ kind, path, what, repaired: false });
    }
    // The digest is computed without the lock, and entered if the file is still the same.
    const before = see(store, place);
    const sha256 = before && await this.#digest(place);
    let wrong = first;
    const outcome = store.db.transaction((): Outcome => {
      const now = difference(store, place);
      if (!now) return "none";
      wrong = now;
      const found = see(store, place);
      if (!found) {
        if (!repair) return "open";
        store.ledger.forgetFile(place);
        return "repaired";
      }
      const unchanged = found.ino === before?.ino && found.modified === before.modified;
      if (!unchanged || !sha256) return "open"; // it was replaced since, or could not be read
      const row = store.ledger.file(place);
      const same = row?.sha256 === sha256;
      const isCopy = row !== undefined && sameButInode(row, found);
      const accepted = isCopy && !same && this.#accepts(path);
      if (isCopy && !same && !accepted) return { expected: row.sha256, accepted };
      if (!repair && !accepted) return "open";
      const { size, modified, ino } = found;
      const owner = row?.owner ?? homeOwner(store, place.dir);
      const verified = same && row.verified !== 0;
      store.ledger.enter({ ...place, owner, size, sha256, modified, ino, verified });
      if (accepted) return { expected: row.sha256, accepted };
      return isCopy ? "copied" : "repaired";
    });
    if (typeof outcome === "object") {
      this.#reportDamage(path, outcome.accepted, outcome.expected, sha256);
    } else if (outcome === "copied") {
      this.#copied++;
    } else if (outcome !== "none") {
      const { kind, what } = wrong;
      this.#report({ kind, path, what, repaired: outcome === "repaired" });
    }
  }

  #accepts(path: string): boolean {
    return this.#options.accept?.has(path) ?? false;
  }

  /** Computes the digest of a file. @returns undefined when the file is gone */
  async #digest(place: Place): Promise<string | undefined> {
    const { onEvent, signal } = this.#options;
    const onRead = async (count: number) => {
      this.#bytes += count;
      onEvent?.({ type: "bytes", count });
      await this.#pacer.admit(count);
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
    if (ledger.wrongSums().length === 0) return; // writers need not wait
    db.transaction(() => {
      for (const { account: path, id, used, reserved, entries } of ledger.wrongSums()) {
        const sums = `used should be ${used}, reserved ${reserved}, entries ${entries}`;
        if (repaired) ledger.correct(id, used, reserved);
        this.#report({ kind: "sums", path, what: `its sums are wrong: ${sums}`, repaired });
      }
    });
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

/** Returns the file that a door would serve. */
function see(store: Store, place: Place): Found | undefined {
  try {
    const found = store.vault.find(place);
    return found?.type === "file" ? found : undefined;
  } catch (error) {
    if (notServed(error)) return undefined;
    throw error;
  }
}

/** Reports whether no door would serve the file, because it is gone or behind a symbolic link. */
function notServed(error: unknown): boolean {
  if (!(error instanceof BargeError)) return false;
  const { kind } = error;
  return kind === "not-found" || kind === "no-directory" || kind === "exists" ||
    isBehindLink(error);
}

/** Reports whether only the inode differs, as for a file that was restored from a backup. */
function sameButInode(row: FileRow, found: Found): boolean {
  return row.ino !== found.ino && sameFile({ ...row, ino: found.ino }, found);
}

interface Difference extends Pick<Problem, "kind" | "what"> {
  /** Whether only the inode differs, unless the bytes do. */
  readonly isCopy?: true;
}

/** Returns the difference between a file and its row at one moment; undefined for none. */
function difference(store: Store, place: Place): Difference | undefined {
  const once = (): Difference | undefined => {
    const row = store.ledger.file(place);
    const found = see(store, place);
    if (!found) return row && { kind: "missing", what: "in the ledger, and not on disk" };
    if (!row) return { kind: "unknown", what: "on disk, and not in the ledger" };
    if (sameFile(row, found)) return undefined;
    if (sameButInode(row, found)) return { kind: "changed", what: copy, isCopy: true };
    const what = row.size === found.size
      ? "was changed by hand"
      : `was changed by hand: ${counted(found.size, "byte")}, ${row.size} in the ledger`;
    return { kind: "changed", what };
  };
  return once() && store.db.transaction(once);
}
