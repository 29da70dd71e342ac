/** Copying a folder with all that is in it, or one file. */
import { BargeError, type Kind } from "../error.ts";
import { isWithin } from "../storage/path.ts";
import type { When } from "../login/access.ts";
import { copy } from "./copy.ts";
import { list } from "./list.ts";
import { mkdir } from "./mkdir.ts";
import { refuseUnnamed } from "../local/omitted.ts";
import { copyProperties } from "./property.ts";
import type { Session } from "../login/session.ts";
import { stat } from "./stat.ts";

/** What was copied. */
export interface CopiedTree {
  readonly files: number;
  readonly bytes: number;
}

export interface CopyTreeOptions {
  /** Stops it between two pieces. */
  readonly signal?: AbortSignal;
  /** Also what is in a folder? Default: yes. */
  readonly deep?: boolean;
  /** Throws unless the folder may be made now; runs under the write lock. */
  readonly still?: () => void;
  /** Told of what can't be copied, so that the rest is. Default: the first failure ends it. */
  readonly onFailed?: (path: string, error: BargeError) => void;
}

/** After these, nothing else will fare better. */
const hopeless: ReadonlySet<Kind> = new Set<Kind>(
  ["over-quota", "no-space", "unauthenticated", "interrupted", "unavailable"],
);

/**
 * Copies what is at a path to a name that no folder has, with its properties. A failure leaves what
 * was copied before it.
 *
 * @throws {BargeError} `usage` for a folder into itself; `refused` for one with data in it that no
 *   door shows; as `copy`, about the file that it fails at
 */
export async function copyTree(
  session: Session,
  from: string,
  to: string,
  overwrite: When,
  { signal, deep = true, still, onFailed }: CopyTreeOptions = {},
): Promise<CopiedTree> {
  const { entry } = stat(session, from);
  if (entry?.type !== "dir") {
    const { size } = await copy(session, from, to, overwrite, signal);
    return { files: 1, bytes: size };
  }
  if (isWithin(session.locate(to).path, session.locate(from).path)) {
    throw new BargeError("usage", "a folder can't be copied into itself", { path: from });
  }
  const { place } = session.locate(from);
  if (deep && place) await refuseUnnamed(session.store, place);
  let [files, bytes] = [0, 0];
  await copyFolder(session, from, to, still);
  if (!deep) return { files, bytes };
  for await (const batch of list(session, from, true)) {
    for (const { name, type } of batch) {
      signal?.throwIfAborted();
      const [source, target] = [`${from}/${name}`, `${to}/${name}`];
      try {
        if (type === "dir") await copyFolder(session, source, target);
        else {
          const copied = await copy(session, source, target, overwrite, signal);
          files++;
          bytes += copied.size;
        }
      } catch (error) {
        const passing = error instanceof BargeError && !hopeless.has(error.kind);
        if (!onFailed || !passing || signal?.aborted) throw error;
        onFailed(target, error);
      }
    }
  }
  return { files, bytes };
}

/** The folder itself. */
async function copyFolder(
  session: Session,
  from: string,
  to: string,
  still?: () => void,
): Promise<void> {
  await mkdir(session, { verb: "mkdir", path: to, parents: false }, still);
  const [source, target] = [session.locate(from).place, session.locate(to).place];
  if (source && target) await copyProperties(session, source, target);
}
