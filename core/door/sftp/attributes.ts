/** Looking at what is there, and changing of it what can be changed. */
import { BargeError } from "../../error.ts";
import type { Entry } from "../../protocol/message.ts";
import { receive } from "../../upload/receive.ts";
import { setModified } from "../../session/set_modified.ts";
import { stat } from "../../session/stat.ts";
import { attrsOf, longName, uploadAttrs, type Users } from "./entries.ts";
import { changed, failWriting, type Handle, type Writing } from "./handle.ts";
import { type Attrs, PacketWriter, Type } from "./packet.ts";
import { resolve, start } from "./paths.ts";
import type { Sftp } from "./sftp.ts";
import { badHandle } from "./status.ts";

/** No client takes less; some take no more (draft-ietf-secsh-filexfer-02, section 3). */
const enough = 32_000;

/** What is at a path; of an upload that is under way or was cut off, how much is there. */
export function lookAt(s: Sftp, path: string): Attrs {
  const writing = s.handles.writing(path);
  if (writing) return lookAtOpen(s, writing);
  const { entry, upload } = stat(s.session, path);
  if (!entry) return uploadAttrs(upload!.offset, s.session.id);
  return attrsOf(owned(s, path, entry), usersOf(s));
}

/**
 * An entry as its owner's: nobody is charged for folders, and `sshfs` and others take whom the home
 * belongs to for whom they are there.
 */
export function owned(s: Sftp, path: string, entry: Entry): Entry {
  const home = entry.owner === null && (path === start || path.startsWith(`${start}/`));
  return home ? { ...entry, owner: s.account } : entry;
}

/**
 * Returns the entries of a folder. Files that are open for writing have the attributes that STAT
 * returns.
 */
export function shown(s: Sftp, folder: string, entries: readonly Entry[]): Entry[] {
  const writing = new Map(s.handles.writersIn(folder).map((handle) => [handle.path, handle]));
  return entries.map((entry) => {
    const path = resolve(`${folder}/${entry.name}`);
    const handle = writing.get(path);
    if (!handle) return owned(s, path, entry);
    const modified = new Date(timeOf(handle)).toISOString();
    return { ...entry, owner: s.account, size: handle.end, modified };
  });
}

/** Returns the time of the last write, or the one that was set. */
function timeOf({ upload, modified }: Writing): number {
  return upload.modified ?? modified;
}

export function lookAtOpen(s: Sftp, handle: Handle): Attrs {
  if (handle.kind === "writing") {
    return uploadAttrs(handle.end, s.session.id, timeOf(handle));
  }
  if (handle.kind === "listing") return lookAt(s, handle.path);
  return uploadAttrs(handle.file.size, s.session.id, handle.file.modifiedNow());
}

/**
 * Sets the size and the time of what is at a path. Owners and modes are taken note of and forgotten:
 * who may do what is decided by the space that a file is in, and clients that copy with `-p` would
 * fail if they were told so.
 */
export async function change(s: Sftp, path: string, attrs: Attrs): Promise<void> {
  const writing = s.handles.writing(path);
  if (writing) return await changeOpen(s, writing, attrs);
  const { entry } = stat(s.session, path);
  if (!entry) throw new BargeError("not-found", "there is no such file or folder");
  const { size, mtime } = attrs;
  if (size !== undefined) {
    if (entry.type === "dir") throw new BargeError("exists", "it is a folder");
    if (size !== entry.size) return await resize(s, path, size, entry, mtime);
  }
  if (mtime !== undefined) await setModified(s.session, path, mtime * 1000);
}

export async function changeOpen(s: Sftp, handle: Handle, attrs: Attrs): Promise<void> {
  const { size, mtime } = attrs;
  if (handle.kind !== "writing") {
    if (handle.kind === "reading" && size !== undefined) throw badHandle();
    return await change(s, handle.path, { mtime });
  }
  if (handle.failure) throw handle.failure;
  if (size !== undefined) await truncate(handle, size);
  if (mtime === undefined) return;
  handle.upload.setModified(mtime * 1000);
  handle.changed = true;
}

async function truncate(handle: Writing, size: number): Promise<void> {
  try {
    await handle.upload.truncate(size);
    handle.end = size;
    changed(handle);
  } catch (error) {
    throw await failWriting(handle, error);
  }
}

/** A file of another length in place of the one that is there. */
async function resize(
  s: Sftp,
  path: string,
  size: number,
  entry: Entry,
  mtime: number | undefined,
): Promise<void> {
  const upload = await receive(s.session, {
    path,
    size: null,
    modified: mtime === undefined ? null : mtime * 1000,
    overwrite: "always",
    base: { file: Math.min(size, entry.size) },
  });
  try {
    await upload.truncate(size);
    await upload.commit(null, true);
  } finally {
    await upload.drop();
  }
}

/** The numbers of accounts; asked for once in a listing. */
export function usersOf({ session }: Sftp): Users {
  const { accounts } = session.store;
  const known = new Map<string, number | undefined>();
  return {
    idOf(name) {
      if (!known.has(name)) known.set(name, accounts.find(name)?.id);
      return known.get(name);
    },
    nameOf: (id) => accounts.byId(id)?.name,
  };
}

/** One name alone, as REALPATH and its like answer. */
export function pathPacket(id: number, path: string): Uint8Array {
  return new PacketWriter(Type.NAME, id, 128).int(1).text(path).text(path).attrs({}).done();
}

/**
 * As many entries as fit one answer.
 *
 * @returns how many they were, too: at least one
 */
export function namesPacket(
  id: number,
  entries: readonly Entry[],
  users: Users,
): { reply: Uint8Array; told: number } {
  const packet = new PacketWriter(Type.NAME, id, enough + 2000).int(entries.length);
  let told = 0;
  for (const entry of entries) {
    packet.text(entry.name).text(longName(entry)).attrs(attrsOf(entry, users));
    told++;
    if (packet.length >= enough - 1500) break; // the longest that the next one can be
  }
  return { reply: packet.done(told), told };
}
