/**
 * Renames and removals. Files that are open for writing on the same channel follow them, as in
 * POSIX: sshfs renames and removes files before their CLOSE has arrived.
 *
 *   renamed   the upload becomes a file under the new name at CLOSE
 *   removed   writing goes on, and at CLOSE nothing becomes a file
 *   replaced  another file was renamed to the path: the upload goes on as if removed
 *
 * Uploads of other connections are handled by session/move.ts and remove.ts. An upload that another
 * connection has taken over fails, and does not prevent a rename or removal.
 */
import { BargeError } from "../../error.ts";
import type { Entry } from "../../protocol/message.ts";
import { move } from "../../session/move.ts";
import { remove } from "../../session/remove.ts";
import { stat } from "../../session/stat.ts";
import { failWriting, type Writing } from "./handle.ts";
import type { Context } from "./request.ts";

/** Returns the file or folder at a path; undefined if there is none, or only an upload. */
export async function entryAt(sftp: Context, path: string): Promise<Entry | undefined> {
  try {
    return (await stat(sftp.session, path)).entry ?? undefined;
  } catch (error) {
    if (error instanceof BargeError && error.kind === "not-found") return undefined;
    throw error;
  }
}

/**
 * Renames a file or folder.
 *
 * @param overwrite with `always`, a file may replace a file, and a folder an empty folder
 * @throws {BargeError} as `move`
 */
export async function rename(
  sftp: Context,
  from: string,
  to: string,
  overwrite: "never" | "always",
): Promise<void> {
  const writers = sftp.handles.writersIn(from);
  const replaced = from === to ? [] : sftp.handles.writersAt(to);
  if (overwrite === "never" && replaced.length > 0) {
    throw new BargeError("exists", "it is being written", { path: to });
  }
  if (sftp.handles.writersIn(to).length > replaced.length && from !== to) {
    throw new BargeError("exists", "the folder there is not empty", { path: to });
  }
  if (await entryAt(sftp, from) || !writers.some(({ path }) => path === from)) {
    await aside(writers, () => move(sftp.session, from, to, overwrite, overwrite === "always"));
    for (const writer of writers) {
      await follow(writer, to + writer.path.slice(from.length));
    }
  } else {
    // Only an upload has the old name: give it the new name.
    for (const writer of writers) await writer.upload.moveTo(to, overwrite);
    for (const writer of writers) writer.path = to;
  }
  for (const writer of replaced) await unlink(writer);
}

/** Removes a file. @throws {BargeError} `exists` for a folder; as `remove` */
export async function removeFile(sftp: Context, path: string): Promise<void> {
  const writers = sftp.handles.writersAt(path);
  const entry = await entryAt(sftp, path);
  if (entry?.type === "dir") throw new BargeError("exists", "it is a folder");
  if (entry || writers.length === 0) {
    await aside(writers, async () => void await remove(sftp.session, path, false));
  }
  for (const writer of writers) await unlink(writer);
}

/** Removes an empty folder. @throws {BargeError} `no-directory` for a file; as `remove` */
export async function removeFolder(sftp: Context, path: string): Promise<void> {
  if ((await stat(sftp.session, path)).entry?.type !== "dir") {
    throw new BargeError("no-directory", "it is not a folder");
  }
  if (sftp.handles.writersIn(path).length > 0) {
    throw new BargeError("exists", "the folder is not empty: a file in it is being written");
  }
  await remove(sftp.session, path, false);
}

/**
 * Renames or removes a file while uploads to its path are open. The change would end these uploads, so
 * they are detached from the path first. If the change fails, they get the path again. An upload keeps
 * its path if the quota has no room for both the upload and the file; it fails if another connection
 * has taken it over.
 */
async function aside(writers: readonly Writing[], change: () => Promise<void>): Promise<void> {
  const moved: Writing[] = [];
  try {
    for (const writer of writers) {
      try {
        await writer.upload.unlink();
        moved.push(writer);
      } catch (error) {
        if (writer.upload.lost) await failWriting(writer, error);
        else if (!(error instanceof BargeError && error.kind === "over-quota")) throw error;
      }
    }
    await change();
  } catch (error) {
    for (const writer of moved) await follow(writer, writer.path);
    throw error;
  }
}

/** Moves an upload behind its renamed file. If this fails, the upload fails, and its CLOSE returns that. */
async function follow(writer: Writing, path: string): Promise<void> {
  if (writer.failure) return;
  try {
    await writer.upload.moveTo(path, "always");
    writer.path = path;
  } catch (error) {
    await failWriting(writer, error);
  }
}

async function unlink(writer: Writing): Promise<void> {
  if (writer.failure) return;
  writer.removed = true;
  try {
    await writer.upload.unlink();
  } catch (error) {
    await failWriting(writer, error);
  }
}
