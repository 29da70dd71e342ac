/** Copying a file on the server: charged like any other write. */
import { BargeError, typed } from "../error.ts";
import type { When } from "../login/access.ts";
import { get } from "./get.ts";
import { copyProperties } from "./property.ts";
import { receive } from "../upload/receive.ts";
import type { StoredFile } from "../storage/uploads.ts";
import type { Session } from "../login/session.ts";

/**
 * @param signal stops it between two pieces; nothing is left
 * @throws {BargeError} as `get`, about `from`; as `receive`, about `to`; `digest` when the source's
 *   bytes are not what was stored
 */
export async function copy(
  session: Session,
  from: string,
  to: string,
  overwrite: When,
  signal?: AbortSignal,
): Promise<StoredFile> {
  if (from === to) {
    throw new BargeError("exists", "a file can't be copied onto itself", { path: to });
  }
  const source = await get(session, from, 0);
  try {
    const { size, modified } = source;
    const request = { path: to, size, modified, overwrite, copied: true, base: "fresh" } as const;
    const upload = await receive(session, request).catch((error) => {
      throw typed(error, { path: to });
    });
    try {
      for await (const piece of source.pieces()) {
        signal?.throwIfAborted();
        await upload.write(piece);
      }
      const committed = await upload.commit(source.digest(), true);
      await copyProperties(session, session.locate(from).place!, session.locate(to).place!);
      return committed;
    } catch (error) {
      throw typed(error, { path: to });
    } finally {
      await upload.drop();
    }
  } finally {
    source.close();
  }
}
