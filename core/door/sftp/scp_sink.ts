/** `scp -t`: receives files and folders. */
import { BargeError } from "../../error.ts";
import { mkdir } from "../../session/mkdir.ts";
import { setModified } from "../../session/set_modified.ts";
import { stat } from "../../session/stat.ts";
import type { Incoming } from "../../upload/incoming.ts";
import { receive } from "../../upload/receive.ts";
import { type Access, outcomeOf } from "../access.ts";
import { explain } from "../failure.ts";
import { gone } from "./bytes.ts";
import { resolve } from "./paths.ts";
import type { ScpDialog } from "./scp_dialog.ts";

const maxPieceBytes = 256 * 1024;
const maxDepth = 256;

/** A folder that is being filled. */
interface Folder {
  readonly path: string;
  readonly modified: number | null;
}

/**
 * Receives files and folders until the client ends its side.
 *
 * @param target as the client wrote it: a folder for the entries, or the path of the only one
 * @throws {BargeError} `unavailable` when it is gone; `protocol`
 */
export async function receiveAll(scp: ScpDialog, target: string): Promise<void> {
  const top = resolve(target);
  const into = await isFolder(scp, top);
  if (scp.folder && !into) {
    return await scp.fail(target, new BargeError("no-directory", "it is not a folder"));
  }
  await scp.ok();
  const folders: Folder[] = [];
  let modified: number | null = null;
  for (let line; (line = await scp.line()) !== null;) {
    if (line.startsWith("\x01")) continue; // the client reports it to its user
    if (line.startsWith("\x02")) return;
    if (line === "E") {
      await leave(scp, folders.pop());
      continue;
    }
    const time = /^T(\d{1,12}) \d+ \d+ \d+$/.exec(line);
    if (time) {
      modified = Number(time[1]) * 1000;
      await scp.ok();
      continue;
    }
    const { type, size, name } = parseAnnouncement(line);
    const path = folders.length > 0 || into
      ? resolve(`${folders.at(-1)?.path ?? top}/${name}`)
      : top;
    if (type === "C") await receiveFile(scp, path, size, modified);
    else if (await enter(scp, path, folders.length)) folders.push({ path, modified });
    modified = null;
  }
}

async function isFolder(scp: ScpDialog, path: string): Promise<boolean> {
  try {
    return (await stat(scp.command.session, path)).entry?.type === "dir";
  } catch (error) {
    if (error instanceof BargeError) return false;
    throw error;
  }
}

/** Parses the line for a file or folder. @throws {BargeError} `protocol`, also for a path as the name */
function parseAnnouncement(line: string) {
  const [, type, digits, name] = /^([CD])[0-7]{4,5} (\d{1,16}) (.+)$/s.exec(line) ?? [];
  const size = Number(digits);
  const strange = name === undefined || name.includes("/") || name === "." || name === "..";
  if (strange || !Number.isSafeInteger(size)) {
    throw new BargeError("protocol", "not a line of scp's protocol");
  }
  return { type, size, name };
}

/** Makes a folder, unless it exists. @returns false if that failed; the client then skips the folder */
async function enter(scp: ScpDialog, path: string, depth: number): Promise<boolean> {
  const access = scp.command.access("mkdir", path);
  try {
    if (!scp.recursive) throw new BargeError("usage", "a folder, without -r");
    if (depth >= maxDepth) throw new BargeError("refused", `more than ${maxDepth} folders deep`);
    if (!await isFolder(scp, path)) {
      await mkdir(scp.command.session, { verb: "mkdir", path, parents: false });
      access.end("ok");
    }
    await scp.ok();
    return true;
  } catch (error) {
    access.end(outcomeOf(error));
    await scp.fail(path, explain(error, { op: "mkdir", path }));
    return false;
  }
}

async function leave(scp: ScpDialog, folder: Folder | undefined): Promise<void> {
  if (!folder) throw new BargeError("protocol", "the client ended a folder that it did not begin");
  const { path, modified } = folder;
  try {
    if (modified !== null) await setModified(scp.command.session, path, modified);
  } catch (error) {
    return await scp.fail(path, explain(error, { op: "set", path }));
  }
  await scp.ok();
}

async function receiveFile(
  scp: ScpDialog,
  path: string,
  size: number,
  modified: number | null,
): Promise<void> {
  const access = scp.command.access("put", path);
  try {
    const facts = { path, size, modified, overwrite: "always", base: "fresh" } as const;
    const upload = await receive(scp.command.session, { ...facts, announced: true });
    try {
      await scp.ok();
      const failure = await readBody(scp, upload, size, access);
      const whole = await scp.readAnswer();
      if (failure) throw failure;
      if (!whole) {
        await upload.drop();
        throw new BargeError("interrupted", "the client could not read the file");
      }
      await upload.commit(null, true);
    } finally {
      await upload.detach();
    }
    access.end("ok");
    await scp.ok();
  } catch (error) {
    const failed = explain(error, { op: "put", path });
    access.end(failed.kind);
    if (failed.kind === "unavailable" && scp.command.bytes.gone) throw failed;
    await scp.fail(path, failed);
  }
}

/** Reads all bytes of a file, also those after a failed write. @returns the failure of that write */
async function readBody(
  { command: { bytes } }: ScpDialog,
  upload: Incoming,
  size: number,
  access: Access,
): Promise<BargeError | undefined> {
  let failure: BargeError | undefined;
  for (let left = size; left > 0;) {
    if (!await bytes.need(1)) throw gone();
    const piece = bytes.take(Math.min(left, bytes.size, maxPieceBytes));
    left -= piece.length;
    access.bytes += piece.length;
    if (failure) continue;
    try {
      await upload.write(piece);
    } catch (error) {
      failure = explain(error, { op: "put" });
      await upload.fail(failure);
    }
  }
  return failure;
}
