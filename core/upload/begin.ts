/** Begins an upload in storage, with the first bytes that its request names. */
import { counted } from "../counted.ts";
import { BargeError } from "../error.ts";
import { borrow, giveBack } from "../disk/buffer_pool.ts";
import type { StoredEntry } from "../storage/entry.ts";
import type { UploadTarget } from "./request.ts";
import { explained, StagedUpload } from "./staged_upload.ts";

/**
 * Begins the upload, or resumes the partial upload to the path.
 *
 * @param existing the file that the upload replaces
 * @param remains whether no more bytes will come, and the upload only keeps those that have arrived: it
 *   then drops no other upload
 * @throws {BargeError} as `receive`
 */
export async function beginStaged(
  target: UploadTarget,
  existing: StoredEntry | undefined,
  remains = false,
): Promise<StagedUpload> {
  const { session, request, place } = target;
  const { uploads } = session.store;
  const { keep, copy } = await startOf(target, existing);
  const { size, modified, reserve, unread, recorded, base, path } = request;
  const declared = { ...place, account: session.id, size, modified, reserve };
  const start = { keep, unread, remains, recorded };
  const open = await uploads.begin(declared, start).catch(async (error) => {
    throw await explained(session, path, error);
  });
  if (typeof base === "number" && copy === 0 && open.body.size !== keep) {
    await open.detach();
    throw tooFew(keep);
  }
  const upload = new StagedUpload(target, open);
  if (copy > 0) await copyBase(target, upload, copy);
  return upload;
}

/** Returns the bytes to keep of the partial upload, and those to copy from the file. */
async function startOf(
  { session, request: { base, size }, place }: UploadTarget,
  existing: StoredEntry | undefined,
): Promise<{ keep: number; copy: number }> {
  if (base === undefined) return { keep: size === null ? 0 : Infinity, copy: 0 };
  if (base === "fresh" || base === 0) return { keep: 0, copy: 0 };
  if (base === "staged") return { keep: Infinity, copy: 0 };
  if (typeof base === "object") return { keep: 0, copy: base.file };
  if (base === "old") return { keep: existing ? 0 : Infinity, copy: existing?.size ?? 0 };
  const partial = await session.store.uploads.resumable(session.id, place);
  if (partial && partial.offset >= base) return { keep: base, copy: 0 };
  if (existing && existing.size >= base) return { keep: 0, copy: base };
  throw tooFew(base);
}

function tooFew(base: number): BargeError {
  const hint = "get the offset of the partial upload, and resume from there";
  return new BargeError("usage", `there are fewer than ${counted(base, "byte")} to resume from`, {
    hint,
  });
}

/** Copies the first bytes of the existing file. A failure drops the upload. */
async function copyBase(target: UploadTarget, upload: StagedUpload, bytes: number): Promise<void> {
  const buffer = borrow();
  try {
    const source = await target.session.store.tree.open(target.place, 0);
    try {
      let left = Math.min(bytes, source.size);
      for (let n; (n = await source.read(buffer.subarray(0, left))) > 0; left -= n) {
        await upload.write(buffer.subarray(0, n));
      }
      if (left > 0) throw tooFew(bytes);
      upload.noteCopied();
    } finally {
      source.close();
    }
  } catch (error) {
    await upload.drop();
    throw error;
  } finally {
    giveBack(buffer);
  }
}
