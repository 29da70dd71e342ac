/** Copying on the server: charged like any other write. */
import { BargeError, type Kind, typed } from "../error.ts";
import type { WriteCondition } from "../login/access.ts";
import type { Entry } from "../protocol/message.ts";
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

/** The most files of a tree that are copied at the same time. */
const maxFilesAtOnce = 16;

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
  await copyFolder(session, from, to, condition);
  if (!deep) return { files: 0, bytes: 0 };
  return await copyEntries(session, from, to, overwrite, { signal, onFailed });
}

/** Copies the entries of a folder into another folder, several files at the same time. @throws as copyTree */
async function copyEntries(
  session: Session,
  from: string,
  to: string,
  overwrite: WriteCondition,
  { signal, onFailed }: CopyTreeOptions,
): Promise<CopiedTree> {
  let [files, bytes] = [0, 0];
  const failures: unknown[] = [];
  const copyEntry = async ({ name, type }: Entry) => {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    try {
      signal?.throwIfAborted();
      if (type === "dir") return await copyFolder(session, source, target);
      const copied = await copy(session, source, target, overwrite, signal);
      files++;
      bytes += copied.size;
    } catch (error) {
      const passing = error instanceof BargeError && !endsTreeCopy.has(error.kind);
      if (!onFailed || !passing || signal?.aborted) failures.push(error);
      else onFailed(target, error);
    }
  };
  const copying = new Set<Promise<void>>();
  try {
    for await (const entry of entriesBelow(session, from)) {
      const copied = copyEntry(entry);
      copying.add(copied);
      void copied.finally(() => copying.delete(copied));
      // A folder is there before its entries are copied.
      if (entry.type === "dir") await copied;
      if (copying.size >= maxFilesAtOnce) await Promise.race(copying);
      if (failures.length > 0) break;
    }
  } finally {
    await Promise.all(copying);
  }
  if (failures.length > 0) throw failures[0];
  return { files, bytes };
}

async function* entriesBelow(session: Session, path: string): AsyncGenerator<Entry, void, void> {
  for await (const batch of list(session, path, true)) yield* batch;
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
