/**
 * Everything about a data directory that can be wrong: `barge verify`, also beside a running server.
 *
 *   intents    a move or removal that is on disk, and not in the ledger: its worker died in between
 *   uploads    sealed ones whose writer is gone, those of which nothing is staged, or whose folder is gone
 *   files      facts, contents and sums (reconcile.ts)
 *   staging    bytes of no upload; removed things that nobody deletes any more
 *
 * In this order: while the ledger can follow by itself, files keep their owners. A server at work makes
 * and leaves things in staging all the time; said to be nobody's is only what no server can come back
 * to. What it is about to delete is seen twice, some time apart, before it is said to be left over.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Intent } from "../local/ledger/intent.ts";
import type { UploadRow } from "../local/ledger/upload_rows.ts";
import { BargeError } from "../error.ts";
import { folderOf, relative } from "../storage/place.ts";
import {
  discard,
  discardTree,
  stagedAge,
  stagedNames,
  stagedPlace,
  stagingDir,
} from "../local/vault/staging.ts";
import { isBehindLink } from "../local/vault/vault.ts";
import { type Problem, reconcile, type Reconciled, type ReconcileOptions } from "./reconcile.ts";
import { happened, settle, settleIntent, stillStaged, wasPublished } from "./recover.ts";
import type { Store } from "../local/store.ts";

export interface VerifyOptions extends ReconcileOptions {
  /** How long a server may take from its last word on an upload to its end, in ms. */
  readonly patience?: Partial<Patience>;
}

interface Patience {
  /** From dropping an upload in the ledger to deleting its bytes. */
  readonly orphan: number;
  /** From sealing an upload to the end of its commit; an upload that moves says so far more often. */
  readonly writer: number;
  /** Deleting a large tree that was removed. */
  readonly trash: number;
}

const usual: Patience = { orphan: 2000, writer: 60_000, trash: 3600_000 };
const lookEvery = 50;

/** @returns how many files were looked at, and all that differs */
export async function verify(store: Store, options: VerifyOptions): Promise<Reconciled> {
  const { repair, signal } = options;
  const patience = { ...usual, ...options.patience };
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
  const { checked, bytes, problems: others } = await reconcile(store, options);
  while (suspects.size > 0 && performance.now() - since < patience.orphan) {
    await wait(lookEvery, undefined, { signal });
    suspects = suspects.intersection(orphans(store));
  }
  for (const name of suspects.intersection(orphans(store))) {
    if (repair) discardOrphan(store, name);
    report("leftover", `${stagingDir}/${name}`, "bytes of an upload that is no more");
  }
  await checkTrash(store, patience.trash, repair, report);
  return { checked, bytes, problems: [...problems, ...others] };
}

type Report = (kind: Problem["kind"], path: string, what: string, repaired?: boolean) => void;

/** Reports, and settles with `repair`, what a worker did on disk before it died, and the ledger does not know. */
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
    report("cut-off", relative(from), `${done}, and the ledger does not know it`);
  }
}

/** Under the write lock: what a live worker does, it settles before it gives the lock back. */
function isCutOff(store: Store, intent: Intent): boolean {
  const open = store.intents.intents().some(({ id }) => id === intent.id);
  if (!open || !unlessBehindLink(() => happened(store, intent))) return false;
  // A source without rows may have been taken away by another, before this move came to it.
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
    const none = upload.holder === null ? !staged : staged === null;
    return none ? { kind: "empty-upload", staged } as const : undefined;
  };
  const before = state();
  if (!before) return;
  const path = relative(upload);
  const ino = () => unlessBehindLink(() => vault.find(upload))?.ino;
  const inoBefore = ino();
  const published = upload.sha256 !== null && before.staged === null &&
    await wasPublished(store, upload).catch(goneMeanwhile);
  const still = db.transaction(() => {
    const now = reservations.upload(upload.id);
    if (!now || now.touched !== upload.touched || now.holder !== upload.holder) return false;
    if (state()?.staged !== before.staged || ino() !== inoBefore) return false;
    if (!repair) return true;
    if (published) {
      settle(store, upload);
      unstage(store, upload.id); // where it had both names
    } else if (upload.sha256 !== null && before.staged) {
      reservations.release(upload.id, before.staged);
    } else {
      unstage(store, upload.id);
      reservations.drop(upload.id);
    }
    return true;
  });
  if (!still) return;
  if (before.kind === "cut-off") {
    report("cut-off", path, "an upload was verified, and its writer is gone");
  } else if (before.kind === "leftover") {
    report("leftover", path, "an unfinished upload into a folder that is gone");
  } else report("empty-upload", path, "an unfinished upload of which nothing is staged");
}

/** Without the folder there is nothing staged. */
function unstage({ vault }: Store, upload: number): void {
  if (vault.find(stagedPlace(upload))) discard(vault, upload);
}

/** Skips entries behind a link: they belong to no account here. */
function unlessBehindLink<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isBehindLink(error)) return undefined;
    throw error;
  }
}

function goneMeanwhile(error: unknown): false {
  if (error instanceof BargeError) return false;
  throw error;
}

/** Finds staged bytes without an upload: the row of an upload is written first, and removed last or with them. */
function orphans(store: Store): Set<string> {
  const numbers = names(store).filter((name) => /^\d+$/.test(name));
  return new Set(numbers.filter((name) => !store.reservations.upload(Number(name))));
}

/** Under the write lock: no upload can take that number meanwhile. */
function discardOrphan(store: Store, name: string): void {
  store.db.transaction(() => {
    if (!store.reservations.upload(Number(name))) discard(store.vault, name);
  });
}

/** Removed things are deleted at leisure; one that was not touched for long was forgotten. */
async function checkTrash(
  store: Store,
  after: number,
  repair: boolean,
  report: Report,
): Promise<void> {
  for (const name of names(store)) {
    if (/^\d+$/.test(name)) continue;
    const age = stagedAge(store.vault, name);
    if (age === undefined || age < after) continue;
    const open = store.intents.intents().some(({ id }) => name === `removed-${id}`);
    if (open) continue; // not in the ledger yet: the next commit there, or the next start, settles it
    if (repair) await discardTree(store.vault, name);
    const removed = !repair || stagedAge(store.vault, name) === undefined;
    const what = name.startsWith("removed-")
      ? "was removed, and not deleted"
      : "belongs to nothing";
    report("leftover", `${stagingDir}/${name}`, what, repair && removed);
  }
}

/** Without the folder there is nothing staged: the next start makes it. */
function* names({ vault }: Store): Generator<string, void, void> {
  try {
    yield* stagedNames(vault);
  } catch (error) {
    if (error instanceof BargeError && error.kind === "no-directory") return;
    throw error;
  }
}
