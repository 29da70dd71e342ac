// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
/**
 * An upload as its holder sees it: its row, its staged bytes and its fence.
 *
 * The row names the holder; the fence stops a former holder's writes (vault/fences.ts). Every end closes
 * the staged file, settles the row, and releases the fence last. So a connection that takes the upload over
 * meanwhile still finds the fence, which proves that nothing is written any more.
 */
import { BargeError } from "../error.ts";
import { folderOf, type Place } from "../storage/place.ts";
import { LostUpload, type OpenUpload } from "../storage/uploads.ts";
import type { PartsWithCommits } from "./commit.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { HeldUpload } from "./ledger/upload_rows.ts";
import { detachUpload, dropUpload } from "./partial_upload.ts";
import type { Parts } from "./parts.ts";
import { reached } from "../storage/fault.ts";
import type { Fence } from "./vault/fences.ts";
import type { Staged } from "./vault/staged.ts";
import { stagingDir } from "./vault/staging.ts";
import { viewOf } from "./view.ts";

/** The bytes that are reserved ahead at once for an upload of unknown size. */
const reserveAheadBytes = 8 * 1024 * 1024;

export interface Opened {
  readonly row: HeldUpload;
  readonly body: Staged;
  readonly fence: Fence;
  readonly heartbeat: Heartbeat;
  readonly reserved: number;
  readonly recorded: boolean;
}

export function openUpload(parts: PartsWithCommits, opened: Opened): OpenUpload {
  const { commits, finishedUploads, reservations } = parts;
  const { body, fence, heartbeat, recorded } = opened;
  let { row, reserved } = opened;
  const { id, account } = row;
  const holder = row.holder!;
  let committed = false;
  let ended = false;

  const grow = async (bytes: number) => {
    await commits.note(() => reservations.grow(id, holder, bytes));
    reserved = bytes;
  };

  const retarget = async ({ dir, name }: Place, check: () => unknown) => {
    await commits.enter(() => {
      check();
      reservations.retarget(id, holder, { dir, name });
    });
    row = { ...row, dir, name };
  };

  const end = async (settle: () => Promise<void>) => {
    if (ended) return;
    ended = true;
    body[Symbol.dispose]();
    try {
      if (!committed) await settle();
    } finally {
      fence[Symbol.dispose]();
    }
  };
  const drop = () => end(() => dropUpload(parts, row));

  return {
    id,
    body,
    get reserved() {
      return reserved;
    },
    get takenOver() {
      return fence.takenOver;
    },
    get lost() {
      return fence.raised;
    },
    async whyLost() {
      const held = ended || !fence.raised && reservations.holds(id, holder);
      return held ? undefined : lostUpload(parts, row, fence);
    },
    async reserve(total) {
      try {
        await grow(total + reserveAheadBytes);
      } catch (error) {
        if (!(error instanceof BargeError && error.kind === "over-quota")) throw error;
        await grow(total);
      }
    },
    renewLease: (whole) => heartbeat.renewLease(whole),
    renewLeaseNow: (whole) => heartbeat.renewLeaseNow(whole),
    recordWhole: (whole) => commits.enter(() => reservations.keepWhole(id, holder, whole)),
    move: (place, guard) => retarget(place, () => guard.check(viewOf(parts))),
    unlink: () => retarget({ dir: stagingDir, name: `unlinked-${id}` }, () => {}),
    async commit(content, guard) {
      await commits.enter(() => {
        reservations.seal(id, holder, content);
        const finished = { ...content, finished: Date.now() };
        if (recorded) finishedUploads.record(account, row, finished);
      });
      reached("sealed");
      const { size, sha256, modified, verified } = content;
      const { dir, name } = row;
      const file = { dir, name, owner: account, size, sha256, modified, ino: body.ino, verified };
      const stored = await commits.publish(row, file, guard);
      committed = true;
      return stored;
    },
    async detach(empty = false) {
      if (body.spoiled) return await drop();
      const { size, length } = body;
      await end(() => detachUpload(parts, row, size, { gaps: size < length, empty }));
    },
    drop,
  };
}

/** Returns the reason why a holder has lost an upload. @param fence the holder's, if any */
export function lostUpload(parts: Parts, row: HeldUpload, fence?: Fence): LostUpload {
  const now = parts.reservations.upload(row.id);
  if (now ? now.holder !== row.holder : fence?.takenOver) return new LostUpload("taken-over");
  if (now && now.dir !== row.dir) return new LostUpload("moved");
  if (!now && parts.vault.find(folderOf(row))?.type !== "dir") return new LostUpload("no-folder");
  return new LostUpload(now ? "ended" : "removed");
}
