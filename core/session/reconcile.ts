/**
 * Does the ledger agree with the disk? `barge quota verify [--repair]`, also beside a running
 * server: each folder is compared under the write lock, so that no commit is caught half-way.
 */
import { BargeError } from "../error.ts";
import { sameFile } from "./entry.ts";
import type { FileRow } from "../account/ledger.ts";
import { digestFile } from "../vault/digest.ts";
import { type Place, relative } from "../vault/place.ts";
import { type Found, isBehindLink } from "../vault/vault.ts";
import type { Store } from "./store.ts";

/** One thing that differs. */
export interface Problem {
  /** Below the data directory, or an account's name. */
  readonly path: string;
  readonly what: string;
  readonly repaired: boolean;
}

export interface ReconcileOptions {
  /** Bring the ledger in line with the disk: the files themselves are never changed. */
  readonly repair: boolean;
  readonly signal?: AbortSignal;
  readonly onProblem?: (problem: Problem) => void;
}

/** @returns how many files were looked at, and all that differs */
export async function reconcile(
  store: Store,
  options: ReconcileOptions,
): Promise<{ checked: number; problems: Problem[] }> {
  const problems: Problem[] = [];
  const report = (path: string, what: string) => {
    const problem = { path, what, repaired: options.repair };
    problems.push(problem);
    options.onProblem?.(problem);
  };
  let checked = 0;
  const folders = new Set(store.ledger.folders());
  for (const space of ["homes", "public"]) {
    for await (const dir of walk(store, space)) folders.add(dir);
  }
  folders.delete("homes"); // what lies beside the homes is nobody's
  for (const dir of folders) {
    options.signal?.throwIfAborted();
    checked += await compareFolder(store, dir, options.repair, report);
  }
  store.db.transaction(() => {
    for (const { account, id, used, reserved } of store.ledger.wrongSums()) {
      report(account, `its sums are wrong: used should be ${used}, reserved ${reserved}`);
      if (options.repair) store.ledger.correct(id, used, reserved);
    }
  });
  return { checked, problems };
}

async function* walk(store: Store, dir: string): AsyncGenerator<string, void, void> {
  yield dir;
  for (const { name, type } of await names(store, dir)) {
    if (type === "dir") yield* walk(store, `${dir}/${name}`);
  }
}

async function names(store: Store, dir: string): Promise<{ name: string; type: "file" | "dir" }[]> {
  const cut = dir.lastIndexOf("/");
  try {
    return await store.vault.names({
      dir: dir.slice(0, Math.max(0, cut)),
      name: dir.slice(cut + 1),
    });
  } catch (error) {
    if (notServed(error)) return [];
    throw error;
  }
}

async function compareFolder(
  store: Store,
  dir: string,
  repair: boolean,
  report: (path: string, what: string) => void,
): Promise<number> {
  const files = new Set<string>();
  for (const { name, type } of await names(store, dir)) if (type === "file") files.add(name);
  for (const name of store.ledger.folder(dir).keys()) files.add(name);
  for (const name of files) await compareFile(store, { dir, name }, repair, report);
  return files.size;
}

async function compareFile(
  store: Store,
  place: Place,
  repair: boolean,
  report: (path: string, what: string) => void,
): Promise<void> {
  const what = difference(store, place);
  if (!what) return;
  report(relative(place), what);
  if (!repair) return;
  // The digest is taken outside the lock; entered only if the file is still the same then.
  const before = see(store, place);
  const sha256 = before && await digestOf(store, place);
  store.db.transaction(() => {
    if (!difference(store, place)) return;
    const found = see(store, place);
    if (!found) store.ledger.forgetFile(place);
    else if (sha256 && before && found.ino === before.ino && found.modified === before.modified) {
      const { size, modified, ino } = found;
      const owner = store.ledger.file(place)?.owner ?? homeOwner(store, place.dir);
      store.ledger.enter({ ...place, owner, size, sha256, modified, ino, verified: false });
    }
  });
}

/** @returns undefined for a file that is gone again */
async function digestOf(store: Store, place: Place): Promise<string | undefined> {
  try {
    return (await digestFile(store.vault, place)).digest;
  } catch (error) {
    if (notServed(error)) return undefined;
    throw error;
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

/** What is wrong with a file's row, of one moment; undefined for nothing. */
function difference(store: Store, place: Place): string | undefined {
  const once = (): string | undefined => {
    const row: FileRow | undefined = store.ledger.file(place);
    const found = see(store, place);
    if (!found) return row ? "in the ledger, and not on disk" : undefined;
    if (!row) return "on disk, and not in the ledger";
    if (sameFile(row, found)) return undefined;
    return row.size === found.size
      ? "was changed by hand"
      : `was changed by hand: ${found.size} bytes, ${row.size} in the ledger`;
  };
  return once() && store.db.transaction(once);
}

/** A file that was put into a home by hand is charged to whose home it is. */
function homeOwner(store: Store, dir: string): number | null {
  const name = /^homes\/([^/]+)/.exec(dir)?.[1];
  return (name && store.accounts.find(name)?.id) || null;
}
