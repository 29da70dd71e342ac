/**
 * Finds all that can be wrong in a data directory: `barge verify`, also beside a running server.
 *
 *   intents    moves and removals on disk whose worker died before it changed the ledger
 *   uploads    sealed ones without a writer, those without staged bytes, those without their folder
 *   files      facts, contents and sums (reconcile.ts)
 *   staging    bytes of no upload; removed files and folders whose deletion was cut off
 *
 * The checks run in this order, so that files keep their owners. A running server adds to staging and deletes
 * from it, so only entries that stay there for a while are reported.
 */
import type { Intent } from "../local/ledger/intent.ts";
import type { UploadRow } from "../local/ledger/upload_rows.ts";
import { BargeError } from "../error.ts";
import { delay } from "../net/delay.ts";
import { folderOf, relative } from "../storage/place.ts";
import type { Problem } from "../storage/problem.ts";
import {
  discard,
  discardTree,
  stagedAge,
  stagedNames,
  stagingDir,
  trashName,
} from "../local/vault/staging.ts";
import { reconcile, type Reconciled, type ReconcileOptions } from "./reconcile.ts";
import { unlessBehindLink } from "./reconcile_folder.ts";
import { happened, settle, settleIntent, stillStaged, unstage, wasPublished } from "./recover.ts";
import type { Store } from "../local/store.ts";

export interface VerifyOptions extends ReconcileOptions {
  /** How long a server may take, in ms. */
  readonly patience?: Partial<Patience>;
}

interface Patience {
  /** The time from dropping an upload in the ledger to deleting its bytes. */
  readonly orphan: number;
  /** The time from the seal of an upload to the end of its commit, or between two of its bytes. */
  readonly writer: number;
  /** The time to delete a large tree that was removed. */
  readonly trash: number;
}

const defaultPatience: Patience = { orphan: 2000, writer: 60_000, trash: 3600_000 };
const orphanIntervalMs = 50;

/** Verifies a data directory. */
export async function verify(store: Store, options: VerifyOptions): Promise<Reconciled> {
  const { repair, signal } = options;
  const patience = { ...defaultPatience, ...options.patience };
  const problems: Problem[] = [];
  const report = (kind: Problem["kind"], path: string, what: string, repaired = repair) => {
    const problem = { kind, path, what, repaired, expected: null, found: null };
    problems.push(problem);
    options.onProblem?.(problem);
  };
  let suspects = orphans(store);
  const since = performance.now();
  checkIntents(store, repair, report);
  for (const upload of store.reservations.eachUpload()) {
    signal?.throwIfAborted();
    await checkUpload(store, upload, patience.writer, repair, report);
  }
  const { problems: others, ...counts } = await reconcile(store, options);
  while (suspects.size > 0 && performance.now() - since < patience.orphan) {
    await delay(orphanIntervalMs, signal);
    suspects = suspects.intersection(orphans(store));
  }
  for (const name of suspects.intersection(orphans(store))) {
    if (repair) store.db.transaction(() => discardOrphan(store, name));
    report("leftover", `${stagingDir}/${name}`, "bytes of an upload that no longer exists");
  }
  await checkTrash(store, patience.trash, repair, report);
  return { ...counts, problems: [...problems, ...others] };
}

type Report = (kind: Problem["kind"], path: string, what: string, repaired?: boolean) => void;

/** Reports renames and removals that a dead worker did not enter in the ledger; a repair enters them. */
export function checkIntents(store: Store, repair: boolean, report: Report): void {
  for (const intent of store.intents.intents()) {
    const cutOff = store.db.transaction(() => {
      if (!isCutOff(store, intent)) return false;
      if (repair) settleIntent(store, intent);
      return true;
    });
    if (!cutOff) continue;
    const { verb, from, to } = intent;
    const done = verb === "remove" ? "was removed" : `was moved to ${relative(to)}`;
    report("cut-off", relative(from), `${done}, which the ledger has not recorded`);
  }
}

/**
 * Returns whether a worker died between the rename of an intent and its commit. To be called under the write
 * lock, which a live worker keeps until it has settled its intent.
 */
function isCutOff(store: Store, intent: Intent): boolean {
  const open = store.intents.intents().some(({ id }) => id === intent.id);
  if (!open || !unlessBehindLink(() => happened(store, intent))) return false;
  // A source without rows may be the result of an earlier move.
  return intent.verb === "remove" || store.ledger.knowsAny(intent.from);
}

async function checkUpload(
  store: Store,
  upload: UploadRow,
  writer: number,
  repair: boolean,
  report: Report,
): Promise<void> {
  const { db, reservations, vault } = store;
  if (upload.holder !== null && Date.now() - upload.touched < writer) return;
  const state = () => {
    const staged = stillStaged(store, upload) ?? null;
    if (upload.sha256 !== null) return { kind: "cut-off", staged } as const;
    const folder = unlessBehindLink(() => vault.find(folderOf(upload)));
    if (folder?.type !== "dir") return { kind: "leftover", staged } as const;
    const empty = upload.holder === null ? !staged : staged === null;
    return empty ? { kind: "empty-upload", staged } as const : undefined;
  };
  const before = state();
  if (!before) return;
  const ino = () => unlessBehindLink(() => vault.find(upload))?.ino;
  const inoBefore = ino();
  const published = upload.sha256 !== null && before.staged === null &&
    await wasPublished(store, upload).catch(goneMeanwhile);
  const unchanged = db.transaction(() => {
    const now = reservations.upload(upload.id);
    if (!now || now.touched !== upload.touched || now.holder !== upload.holder) return false;
    if (state()?.staged !== before.staged || ino() !== inoBefore) return false;
    if (!repair) return true;
    if (published) {
      settle(store, upload);
      unstage(store, upload.id); // a hard link of an older server may be left in staging
    } else if (upload.sha256 !== null && before.staged) {
      reservations.release(upload.id, before.staged);
    } else {
      unstage(store, upload.id);
      reservations.drop(upload.id);
    }
    return true;
  });
  if (unchanged) report(before.kind, relative(upload), uploadProblems[before.kind]);
}

const uploadProblems = {
  "cut-off": "an upload was verified, and its writer is gone",
  "leftover": "an unfinished upload into a folder that is gone",
  "empty-upload": "an unfinished upload of which nothing is staged",
};

function goneMeanwhile(error: unknown): false {
  if (error instanceof BargeError) return false;
  throw error;
}

/** Returns the names of staged bytes without an upload, whose row is written first and removed last. */
function orphans(store: Store): Set<string> {
  const numbers = names(store).filter(isUpload);
  return new Set(numbers.filter((name) => !store.reservations.upload(Number(name))));
}

/** Deletes staged bytes. To be called under the write lock, so that no upload can get the number meanwhile. */
function discardOrphan({ reservations, vault }: Store, name: string): void {
  if (!reservations.upload(Number(name))) discard(vault, name);
}

/** Reports removed files and folders that were not changed for a time, so that their deletion was cut off. */
async function checkTrash(
  store: Store,
  after: number,
  repair: boolean,
  report: Report,
): Promise<void> {
  for (const name of names(store)) {
    if (isUpload(name)) continue;
    const age = stagedAge(store.vault, name);
    if (age === undefined || age < after) continue;
    // The next start settles an open intent.
    if (store.intents.intents().some(({ id }) => name === trashName(id))) continue;
    if (repair) await discardTree(store.vault, name);
    const repaired = repair && stagedAge(store.vault, name) === undefined;
    const removed = name.startsWith("removed-");
    const what = removed ? "was removed, and not deleted" : "belongs to no upload and no removal";
    report("leftover", `${stagingDir}/${name}`, what, repaired);
  }
}

function isUpload(name: string): boolean {
  return /^\d+$/.test(name);
}

/** Yields the names in staging; none if the folder is missing, which the next start makes. */
function* names({ vault }: Store): Generator<string, void, void> {
  try {
    yield* stagedNames(vault);
  } catch (error) {
    if (error instanceof BargeError && error.kind === "no-directory") return;
    throw error;
  }
}
