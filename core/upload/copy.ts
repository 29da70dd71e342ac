/** Gives a copy the content of its original, where storage can do so without moving bytes. */
import { changeable, writeGuard } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import type { Place } from "../storage/place.ts";
import type { StoredFile } from "../storage/uploads.ts";
import type { UploadRequest } from "./request.ts";

/**
 * Copies a file within storage.
 *
 * @param request the request for the copy; if it gives no time, the copy gets the time of the file
 * @returns undefined where the bytes have to be copied
 * @throws {BargeError} as `receive`
 */
export async function copyContent(
  session: Session,
  from: Place,
  request: UploadRequest,
): Promise<StoredFile | undefined> {
  const location = session.locate(request.path);
  const place = changeable(location);
  const guard = writeGuard(session, location, request.overwrite, request);
  const { size, modified } = request;
  const upload = { ...place, account: session.id, size, modified };
  return await session.store.uploads.copy(from, upload, guard);
}
