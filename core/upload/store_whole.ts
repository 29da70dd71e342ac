/** Makes a file of bytes that are all in memory: see receive.ts. */
import { hash } from "node:crypto";
import { writeGuard } from "../login/access.ts";
import type { StoredFile } from "../storage/uploads.ts";
import { checkDigest } from "./incoming.ts";
import type { UploadTarget } from "./request.ts";
import { explained } from "./staged_upload.ts";

/**
 * Commits a small file.
 *
 * @param bytes which must not change any more
 * @param sha256, verified as of `Incoming.commit`
 * @throws {BargeError} as `Incoming.commit`; `over-quota`
 */
export async function storeWhole(
  { session, request, location, place }: UploadTarget,
  bytes: Uint8Array,
  sha256: string | null,
  verified: boolean,
): Promise<StoredFile> {
  try {
    const content = { size: bytes.length, sha256: hash("sha256", bytes, "hex"), verified };
    checkDigest(content.sha256, sha256);
    const { modified, overwrite } = request;
    const upload = { ...place, account: session.id, size: bytes.length, modified };
    const guard = writeGuard(session, location, overwrite, request);
    return await session.store.uploads.store(upload, content, bytes, guard);
  } catch (error) {
    throw await explained(session, request.path, error);
  }
}
