/** Copying a folder with all that is in it, or one file. */
import { BargeError } from "../error.ts";
import type { When } from "./access.ts";
import { copy } from "./copy.ts";
import { list } from "./list.ts";
import { mkdir } from "./mkdir.ts";
import type { Session } from "./session.ts";
import { stat } from "./stat.ts";

/** What was copied. */
export interface CopiedTree {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Copies what is at a path to a name that no folder has. A failure leaves what was copied before it.
 *
 * @param signal stops it between two pieces
 * @throws {BargeError} `usage` for a folder into itself; as `copy`, about the file that it fails at
 */
export async function copyTree(
  session: Session,
  from: string,
  to: string,
  overwrite: When,
  signal?: AbortSignal,
): Promise<CopiedTree> {
  const { entry } = stat(session, from);
  if (entry?.type !== "dir") {
    const { size } = await copy(session, from, to, overwrite, signal);
    return { files: 1, bytes: size };
  }
  if (`${to}/`.startsWith(`${from}/`)) {
    throw new BargeError("usage", "a folder can't be copied into itself", { path: from });
  }
  let [files, bytes] = [0, 0];
  mkdir(session, { verb: "mkdir", path: to, parents: false });
  for await (const batch of list(session, from, true)) {
    for (const { name, type } of batch) {
      signal?.throwIfAborted();
      if (type === "dir") {
        mkdir(session, { verb: "mkdir", path: `${to}/${name}`, parents: true });
        continue;
      }
      const copied = await copy(session, `${from}/${name}`, `${to}/${name}`, overwrite, signal);
      files++;
      bytes += copied.size;
    }
  }
  return { files, bytes };
}
