/** `scp -f`: sends files and folders. */
import picomatch from "picomatch";
import { BargeError } from "../../error.ts";
import type { Entry } from "../../protocol/message.ts";
import { describeOmission } from "../../protocol/omission.ts";
import { get } from "../../session/get.ts";
import { list } from "../../session/list.ts";
import { Omitted } from "../../session/omitted.ts";
import { stat } from "../../session/stat.ts";
import { outcomeOf } from "../access.ts";
import { explain } from "../failure.ts";
import { seconds } from "./entries.ts";
import { baseName, resolve } from "./paths.ts";
import { type ScpDialog, unwritable } from "./scp_dialog.ts";

/**
 * Sends the requested files and folders.
 *
 * @param paths as the client wrote them; patterns are expanded, as a shell would
 * @throws {BargeError} `unavailable` when the client is gone; `protocol`
 */
export async function send(scp: ScpDialog, paths: readonly string[]): Promise<void> {
  await scp.readAnswer();
  for (const pattern of paths) {
    for (const path of await matches(scp, resolve(pattern))) {
      const entry = await look(scp, path);
      if (entry) await sendEntry(scp, path, { ...entry, name: baseName(path) || "/" });
    }
  }
}

/** Expands a pattern in the last part of a path; without a match it is a plain name. */
async function matches(scp: ScpDialog, path: string): Promise<string[]> {
  const name = baseName(path);
  if (!/[*?[]/.test(name)) return [path];
  const folder = path.slice(0, -name.length - 1) || "/";
  const fits = picomatch(name);
  const paths: string[] = [];
  try {
    for await (const batch of list(scp.command.session, folder, false)) {
      for (const { name } of batch) if (fits(name)) paths.push(resolve(`${folder}/${name}`));
    }
  } catch (error) {
    if (!(error instanceof BargeError)) throw error;
  }
  return paths.length > 0 ? paths : [path];
}

async function look(scp: ScpDialog, path: string): Promise<Entry | undefined> {
  try {
    const { entry } = await stat(scp.command.session, path);
    if (entry) return entry;
    throw new BargeError("not-found", "there is no such file or folder");
  } catch (error) {
    await scp.fail(path, explain(error, { op: "stat", path }));
    return undefined;
  }
}

async function sendEntry(scp: ScpDialog, path: string, entry: Entry): Promise<void> {
  if (entry.name.includes("\n")) return await scp.fail(path, unwritable());
  if (entry.type === "file") return await sendFile(scp, path, entry);
  if (!scp.recursive) return await scp.fail(path, new BargeError("exists", "not a regular file"));
  if (!await announce(scp, entry, "D0755 0")) return;
  const access = scp.command.access("list", path);
  const omitted = new Omitted();
  for await (const batch of list(scp.command.session, path, false, omitted)) {
    for (const child of batch) {
      await sendEntry(scp, resolve(`${path}/${child.name}`), child);
    }
  }
  access.end("ok");
  const { omission } = omitted;
  if (omission && omission.unnamed > 0) {
    await scp.fail(path, new BargeError("refused", describeOmission(omission)));
  }
  await scp.sendLine("E");
  await scp.readAnswer();
}

/** Sends the lines before the bytes of a file, or the entries of a folder. @returns false if refused */
async function announce(scp: ScpDialog, { name, modified }: Entry, head: string): Promise<boolean> {
  const time = seconds(Date.parse(modified));
  for (
    const line of scp.times ? [`T${time} 0 ${time} 0`, `${head} ${name}`] : [`${head} ${name}`]
  ) {
    await scp.sendLine(line);
    if (!await scp.readAnswer()) return false;
  }
  return true;
}

async function sendFile(scp: ScpDialog, path: string, entry: Entry): Promise<void> {
  const access = scp.command.access("get", path);
  let announced = false;
  try {
    const file = await get(scp.command.session, path, 0);
    const pieces = file.pieces();
    const sendPiece = async (piece: Uint8Array) => {
      await scp.command.bytes.send(piece.slice());
      access.bytes += piece.length;
    };
    try {
      // If the first piece can't be read, the failure can still be sent in place of the size.
      const first = await pieces.next();
      if (!await announce(scp, entry, `C0644 ${file.size}`)) return;
      announced = true;
      if (!first.done) await sendPiece(first.value);
      for await (const piece of pieces) await sendPiece(piece);
    } finally {
      await pieces.return();
      file.close();
    }
    await scp.ok();
    await scp.readAnswer();
    access.end("ok");
  } catch (error) {
    access.end(outcomeOf(error));
    // The size was announced, so a failure can only be reported by ending the dialog.
    if (announced) throw error;
    await scp.fail(path, explain(error, { op: "get", path }));
  } finally {
    access.end("interrupted"); // only if the client refused the file: else the record has ended
  }
}
