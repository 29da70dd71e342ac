/** Copying a file on the server: charged like any other write. */
import { borrow, giveBack } from "../net/pool.ts";
import type { Overwrite } from "../protocol/message.ts";
import { BargeError, typed } from "../error.ts";
import { get } from "./get.ts";
import { put } from "./put.ts";
import type { Committed } from "./upload.ts";
import type { Session } from "./session.ts";

/**
 * @param signal stops it between two pieces; nothing is left
 * @throws {BargeError} as `get`, about `from`; as `put`, about `to`; `digest` when the source's
 *   bytes are not what was stored
 */
export async function copy(
  session: Session,
  from: string,
  to: string,
  overwrite: Overwrite,
  signal?: AbortSignal,
): Promise<Committed> {
  if (from === to) {
    throw new BargeError("exists", "a file can't be copied onto itself", { path: to });
  }
  const source = await get(session, from, 0);
  const buffer = borrow();
  try {
    const { size, modified } = source;
    const request = { path: to, size, modified, overwrite, copied: true };
    const upload = await put(session, request).catch((error) => {
      throw typed(error, { path: to });
    });
    try {
      await upload.restart(); // half an upload of something else may lie there
      for (let n; (n = await source.read(buffer)) > 0;) {
        signal?.throwIfAborted();
        await upload.write(buffer.subarray(0, n));
      }
      return await upload.commit(source.digest(), true);
    } catch (error) {
      throw typed(error, { path: to });
    } finally {
      upload.drop();
    }
  } finally {
    giveBack(buffer);
    source.close();
  }
}
