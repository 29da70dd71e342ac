/** Reads and changes the attributes of files, folders and open uploads. */
import { BargeError } from "../../error.ts";
import type { Entry } from "../../protocol/message.ts";
import { receive } from "../../upload/receive.ts";
import type { Session } from "../../login/session.ts";
import { isWithin } from "../../storage/path.ts";
import { setModified } from "../../session/set_modified.ts";
import { stat } from "../../session/stat.ts";
import { attrsOf, longName, uploadAttrs, type Users } from "./entries.ts";
import { badHandle, changeUpload, type OpenFile, type Writing } from "./handle.ts";
import { type Attrs, PacketWriter, Type } from "./packet.ts";
import { resolve, start } from "./paths.ts";
import type { Context } from "./request.ts";

/** The size of a packet that every client accepts (draft-ietf-secsh-filexfer-02, section 3). */
const namesPacketBytes = 32_000;

/** Returns the attributes of an entry, an upload under way or a partial upload. */
export async function lookAt(sftp: Context, path: string): Promise<Attrs> {
  const writing = sftp.handles.writing(path);
  if (writing) return await lookAtOpen(sftp, writing);
  const { entry, upload } = await stat(sftp.session, path);
  if (!entry) return uploadAttrs(upload!.offset, sftp.session.id);
  const shownEntry = withOwner(sftp.session, path, entry);
  return attrsOf(shownEntry, await usersOf(sftp, [shownEntry]));
}

/**
 * Returns an entry; if it is in the account's home and has no owner, as folders have none, with the
 * account as its owner. `sshfs` and other clients take the owner of the home for the user.
 */
export function withOwner({ name }: Session, path: string, entry: Entry): Entry {
  return entry.owner === null && isWithin(path, start) ? { ...entry, owner: name } : entry;
}

/**
 * Returns the entries of a folder. Files that are open for writing have the attributes that STAT
 * returns.
 */
export function listedEntries(sftp: Context, folder: string, entries: readonly Entry[]): Entry[] {
  const { handles, session } = sftp;
  const writing = new Map(handles.writersIn(folder).map((handle) => [handle.path, handle]));
  return entries.map((entry) => {
    const path = resolve(`${folder}/${entry.name}`);
    const handle = writing.get(path);
    if (!handle) return withOwner(session, path, entry);
    const modified = new Date(timeOf(handle)).toISOString();
    return { ...entry, owner: session.name, size: handle.end, modified };
  });
}

/** Returns the time of the last write, or the time that the client has set. */
function timeOf({ upload, modified }: Writing): number {
  return upload.modified ?? modified;
}

export async function lookAtOpen(sftp: Context, handle: OpenFile): Promise<Attrs> {
  if (handle.kind === "writing") {
    return uploadAttrs(handle.end, sftp.session.id, timeOf(handle));
  }
  if (handle.kind === "listing") return await lookAt(sftp, handle.path);
  return uploadAttrs(handle.file.size, sftp.session.id, handle.file.modifiedNow());
}

/**
 * Sets the size and the time of a file or folder. Owners and modes are ignored: they decide nothing
 * here, and clients that copy with `-p` would fail if they were refused.
 */
export async function change(sftp: Context, path: string, attrs: Attrs): Promise<void> {
  const writing = sftp.handles.writing(path);
  if (writing) return await changeOpen(sftp, writing, attrs);
  const { entry } = await stat(sftp.session, path);
  if (!entry) throw new BargeError("not-found", "there is no such file or folder");
  const { size, mtime } = attrs;
  if (size !== undefined) {
    if (entry.type === "dir") throw new BargeError("exists", "it is a folder");
    if (size !== entry.size) return await resize(sftp, path, size, entry, mtime);
  }
  if (mtime !== undefined) await setModified(sftp.session, path, mtime * 1000);
}

export async function changeOpen(sftp: Context, handle: OpenFile, attrs: Attrs): Promise<void> {
  const { size, mtime } = attrs;
  if (handle.kind !== "writing") {
    if (handle.kind === "reading" && size !== undefined) throw badHandle();
    return await change(sftp, handle.path, { mtime });
  }
  if (handle.failure) throw handle.failure;
  if (size !== undefined) {
    await changeUpload(handle, () => handle.upload.truncate(size));
    handle.end = size;
  }
  if (mtime === undefined) return;
  handle.upload.setModified(mtime * 1000);
  handle.changed = true;
}

/** Replaces a file by one of another length. */
async function resize(
  sftp: Context,
  path: string,
  size: number,
  entry: Entry,
  mtime: number | undefined,
): Promise<void> {
  const upload = await receive(sftp.session, {
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

/** Returns the ids of the accounts that entries belong to. */
export async function usersOf({ session }: Context, entries: readonly Entry[]): Promise<Users> {
  const { accounts } = session.store.people;
  const users = new Map<string, number>();
  for (const name of new Set(entries.flatMap(({ owner }) => owner ?? []))) {
    const account = await accounts.find(name);
    if (account) users.set(name, account.id);
  }
  return users;
}

/** Returns the answer of REALPATH. */
export function pathPacket(id: number, path: string): Uint8Array {
  return new PacketWriter(Type.NAME, id, 128).int(1).text(path).text(path).attrs({}).done();
}

/**
 * Returns an answer with as many entries as fit.
 *
 * @returns also their number, at least one
 */
export function namesPacket(
  id: number,
  entries: readonly Entry[],
  users: Users,
): { reply: Uint8Array; count: number } {
  const packet = new PacketWriter(Type.NAME, id, namesPacketBytes + 2000).int(entries.length);
  let count = 0;
  for (const entry of entries) {
    packet.text(entry.name).text(longName(entry)).attrs(attrsOf(entry, users));
    count++;
    if (packet.length >= namesPacketBytes - 1500) break; // the longest possible entry
  }
  return { reply: packet.done(count), count };
}
