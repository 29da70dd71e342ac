// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
/**
 * Uploads on one machine: rows in the database, bytes in the staging folder.
 *
 * A resume takes over the account's newest upload to the path, even if another connection still writes it,
 * since a dead connection looks like a slow one. The steps, in this order:
 *
 *   1. the row gets the new holder, in one transaction: the former holder can't reserve, seal, detach
 *      or drop the upload any more
 *   2. the former holder's fence is raised, and the end of its write under way is awaited
 *   3. the new holder takes a fence of its own, and checks that it still is the holder. If another
 *      connection takes the upload over meanwhile, either it finds this fence, or this check fails
 *   4. the staged bytes are measured and opened
 *
 * Where step 2 can't prove that the last write has ended (its worker is dead, its disk is stuck), the
 * staged bytes are read back before they become a file. An upload that begins afresh drops an idle upload to
 * its path. It does not stop one that is being written: both may be committed, one after the other.
 */
import { randomUUID } from "node:crypto";
import { BargeError } from "../error.ts";
import type {
  NewUpload,
  OpenUpload,
  PartialUpload,
  Uploads,
  UploadStart,
} from "../storage/uploads.ts";
import type { PartsWithCommits } from "./commit.ts";
import { openStaged } from "./download.ts";
import { look } from "./entry.ts";
import { Heartbeat } from "./heartbeat.ts";
import {
  type DeclaredUpload,
  type HeldUpload,
  keepPartialMs,
  staleAfterMs,
  type UploadRow,
} from "./ledger/upload_rows.ts";
import { lostUpload, openUpload } from "./open_upload.ts";
import { detachUpload, discardDropped, resumableBytes } from "./partial_upload.ts";
import { storeWhole } from "./stored_whole.ts";
import { digestFile } from "./vault/digest.ts";
import type { Fence } from "./vault/fences.ts";
import { Staged } from "./vault/staged.ts";
import { stagedPlace } from "./vault/staging.ts";

/** An upload whose row is written. */
interface Entered {
  readonly row: HeldUpload;
  /** Bytes that it may stage. */
  readonly reserved: number;
  /** The former row of an upload that is resumed. */
  readonly former?: UploadRow;
  /** The id of the idle upload that it replaces. */
  readonly dropped?: number;
}

/** More files at once would leave the CPU's caches before their next step. */
const maxPendingStores = 128;

/** Returns the uploads on one machine. */
export function localUploads(parts: PartsWithCommits): Uploads {
  const { commits, finishedUploads, reservations, uploadsAt, vault } = parts;
  const store = storeWhole(parts);
  const declare = (upload: NewUpload) => ({
    ...upload,
    holder: `${parts.startId}/${randomUUID()}`,
  });
  const partial = (row: UploadRow | undefined) => row && partialUpload(parts, row);
  return {
    maxPendingStores,
    begin: (upload, start) => begin(parts, declare(upload), start),
    store: (upload, content, bytes, guard) => store(declare(upload), content, bytes, guard),
    resumable: async (account, place) => partial(reservations.resumable(account, place)),
    partial: async (account, place) => partial(reservations.unfinished(account, place)),
    async *partials(account) {
      for (const row of reservations.unfinishedOf(account)) yield partialUpload(parts, row);
    },
    copy: () => Promise.resolve(undefined), // each file on disk has bytes of its own
    openStaged: async (upload, modified) => openStaged(parts, upload, modified),
    async sample(upload, bytes, signal) {
      try {
        return (await digestFile(vault, stagedPlace(upload), "sha256", bytes, signal)).digest;
      } catch (error) {
        if (error instanceof BargeError && error.kind === "not-found") return undefined;
        throw error;
      }
    },
    async finished(account, place) {
      const upload = finishedUploads.find(account, place);
      const expires = (upload?.finished ?? 0) + keepPartialMs;
      if (!upload || expires < Date.now()) return undefined;
      const entry = look(parts, place);
      const intact = entry?.owner === account && entry.sha256 === upload.sha256;
      return intact ? { size: entry.size, expires } : undefined;
    },
    async dropAt(account, place) {
      const ids = await commits.enter(() => uploadsAt.drop(account, place));
      discardDropped(parts, ids);
      return ids.length;
    },
  };
}

async function begin(
  parts: PartsWithCommits,
  declared: DeclaredUpload,
  start: UploadStart,
): Promise<OpenUpload> {
  const { commits, fences, reservations, vault } = parts;
  const { row, former, reserved, dropped } = await commits.enter(() =>
    enter(parts, declared, start)
  );
  const { id } = row;
  let fence: Fence | undefined;
  let body: Staged | undefined;
  try {
    if (dropped !== undefined) discardDropped(parts, [dropped]);
    const suspect = former?.holder ? !await fences.raise(id) : false;
    fence = fences.take(id);
    if (!reservations.holds(id, declared.holder)) throw lostUpload(parts, row, fence);
    const keep = former ? Math.min(start.keep, resumableBytes(parts, former)) : 0;
    const heartbeat = new Heartbeat(parts, row);
    const onRead = start.unread ? null : () => void heartbeat.renewLease();
    body = await Staged.open(vault, { upload: id, keep, fence, suspect, onRead });
    if (former && former.whole !== null) {
      await commits.note(() => reservations.keepWhole(id, declared.holder, null));
    }
    if (declared.size !== null && body.size > declared.size) await body.truncate(0);
    const recorded = start.recorded ?? false;
    return openUpload(parts, { row, body, fence, heartbeat, reserved, recorded });
  } catch (error) {
    body?.[Symbol.dispose]();
    try {
      await detachUpload(parts, row, former ? resumableBytes(parts, former) : 0);
    } finally {
      fence?.[Symbol.dispose]();
    }
    throw error;
  }
}

/** Writes the row, in a transaction. */
function enter(
  { finishedUploads, reservations }: PartsWithCommits,
  declared: DeclaredUpload,
  { keep, remains, recorded }: UploadStart,
): Entered {
  const { account } = declared;
  const former = keep > 0 ? reservations.resumable(account, declared) : undefined;
  const resumed = former && reservations.resume(former.id, declared);
  if (resumed) return { row: resumed, reserved: resumed.want, former };
  if (remains && reservations.unfinished(account, declared)) {
    throw new BargeError("unavailable", "another upload to that path is under way");
  }
  const idle = keep === 0 ? reservations.idle(account, declared) : undefined;
  if (idle) reservations.drop(idle.id);
  if (recorded) finishedUploads.forget(account, declared);
  const [row] = reservations.begin([{ upload: declared }]);
  const reserved = declared.size ?? declared.reserve ?? 0;
  return { row, reserved, dropped: idle?.id };
}

function partialUpload(parts: PartsWithCommits, row: UploadRow): PartialUpload {
  const { id, dir, name, size, modified, touched, holder } = row;
  return {
    id,
    dir,
    name,
    size,
    modified,
    offset: resumableBytes(parts, row),
    busy: holder !== null && touched > Date.now() - staleAfterMs,
    expires: touched + keepPartialMs,
  };
}
