/** Copying on the server: charged like any other write. */
import { BargeError, type Kind, typed } from "../error.ts";
import type { WriteCondition } from "../login/access.ts";
import type { Session } from "../login/session.ts";
import type { FileContent } from "../storage/content.ts";
import { isWithin } from "../storage/path.ts";
import type { StoredFile } from "../storage/uploads.ts";
import type { Condition } from "../storage/view.ts";
import { copyContent } from "../upload/copy.ts";
import { receive } from "../upload/receive.ts";
import type { UploadRequest } from "../upload/request.ts";
import { get } from "./get.ts";
import { list } from "./list.ts";
import { mkdir } from "./mkdir.ts";
import { refuseUnnamed } from "./omitted.ts";
import { stat } from "./stat.ts";

/** The number of files that were copied, and their bytes. */
export interface CopiedTree {
  readonly files: number;
  readonly bytes: number;
}

export interface CopyTreeOptions {
  /** Stops the copy between two pieces. */
  readonly signal?: AbortSignal;
  /** Whether to copy a folder with its entries. Default: true. */
  readonly deep?: boolean;
  /** Throws unless the folder may be made; runs in the step that makes it. */
  readonly condition?: Condition;
  /** Called for each entry that can't be copied; the others are copied. Default: the first failure ends all. */
  readonly onFailed?: (path: string, error: BargeError) => void;
}

/** The failures that every other file would meet, too: they end the copy of a folder. */
const endsTreeCopy: ReadonlySet<Kind> = new Set<Kind>(
  ["over-quota", "no-space", "unauthenticated", "interrupted", "unavailable"],
);

/**
 * Copies a file.
 *
 * @param signal stops it between two pieces; nothing is left
 * @throws {BargeError} as `get`, about `from`; as `receive`, about `to`; `digest` when the source's
 *   bytes are not those that were stored
 */
export async function copy(
  session: Session,
  from: string,
  to: string,
  overwrite: WriteCondition,
  signal?: AbortSignal,
): Promise<StoredFile> {
  if (from === to) {
    throw new BargeError("exists", "a file can't be copied onto itself", { path: to });
  }
  const source = await get(session, from, 0);
  try {
    const { size, modified } = source;
    const request = { path: to, size, modified, overwrite, copied: true, base: "fresh" } as const;
    try {
      const committed = await copyContent(session, session.locate(from).place!, request) ??
        await copyBytes(session, source, request, signal);
      await copyProperties(session, from, to).catch((error) => {
        const { kind, message, hint } = typed(error);
        const why = `the file was copied, its properties were not: ${message}`;
        throw new BargeError(kind, why, { hint, cause: error });
      });
      return committed;
    } catch (error) {
      throw typed(error, { path: to });
    }
  } finally {
    source.close();
  }
}

async function copyBytes(
  session: Session,
  source: FileContent,
  request: UploadRequest,
  signal: AbortSignal | undefined,
): Promise<StoredFile> {
  const upload = await receive(session, request);
  try {
    for await (const piece of source.pieces()) {
      signal?.throwIfAborted();
      await upload.write(piece);
    }
    return await upload.commit(source.digest(), true);
  } finally {
    await upload.drop();
  }
}

/**
 * Copies a file or folder to a name that no folder has, with its properties. A failure leaves the
 * entries that were copied before it.
 *
 * @throws {BargeError} `usage` for a folder into itself; `refused` for a folder with data in it that no
 *   door shows; as {@link copy}, about the file that can't be copied
 */
export async function copyTree(
  session: Session,
  from: string,
  to: string,
  overwrite: WriteCondition,
  { signal, deep = true, condition, onFailed }: CopyTreeOptions = {},
): Promise<CopiedTree> {
  const { entry } = await stat(session, from);
  if (entry?.type !== "dir") {
    const { size } = await copy(session, from, to, overwrite, signal);
    return { files: 1, bytes: size };
  }
  if (isWithin(session.locate(to).path, session.locate(from).path)) {
    throw new BargeError("usage", "a folder can't be copied into itself", { path: from });
  }
  const { place } = session.locate(from);
  if (deep && place) await refuseUnnamed(session.store.tree, place);
  let [files, bytes] = [0, 0];
  await copyFolder(session, from, to, condition);
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
        const passing = error instanceof BargeError && !endsTreeCopy.has(error.kind);
        if (!onFailed || !passing || signal?.aborted) throw error;
        onFailed(target, error);
      }
    }
  }
  return { files, bytes };
}

/** Copies a folder without its entries. */
async function copyFolder(
  session: Session,
  from: string,
  to: string,
  condition?: Condition,
): Promise<void> {
  await mkdir(session, { verb: "mkdir", path: to, parents: false }, condition);
  await copyProperties(session, from, to);
}

/** Copies the properties of an entry. @throws {BargeError} `over-quota` */
async function copyProperties(session: Session, from: string, to: string): Promise<void> {
  const [source, target] = [session.locate(from).place, session.locate(to).place];
  if (!source || !target) return;
  await session.store.attached.properties.copy(source, target, session.id);
}
