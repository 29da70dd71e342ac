/** The requests of SFTP version 3 and their handlers. */
import { BargeError } from "../../error.ts";
import { get, readStaged } from "../../session/get.ts";
import { list } from "../../session/list.ts";
import { mkdir } from "../../session/mkdir.ts";
import { receive } from "../../upload/receive.ts";
import { stat } from "../../session/stat.ts";
import { type Access, outcomeOf } from "../access.ts";
import {
  change,
  changeOpen,
  lookAt,
  lookAtOpen,
  namesPacket,
  owned,
  pathPacket,
  shown,
  usersOf,
} from "./attributes.ts";
import { resolve } from "./paths.ts";
import { extended } from "./extended.ts";
import { changed, failWriting } from "./handle.ts";
import { maxData } from "./limits.ts";
import {
  type Attrs,
  dataPacket,
  Open,
  type PacketReader,
  PacketWriter,
  Status,
  statusPacket,
  Type,
} from "./packet.ts";
import { entryAt, removeFile, removeFolder, rename } from "./rename.ts";
import { begin, beginRename, type Handler, ok, type RequestFacts } from "./request.ts";
import type { Context } from "./context.ts";
import { badHandle } from "./status.ts";

export const requests: { readonly [type: number]: Handler } = {
  [Type.OPEN]: { name: "get", handle: open },
  [Type.CLOSE]: {
    name: "close",
    async handle(s, id, packet) {
      await s.handles.close(packet.bytes());
      return ok(id);
    },
  },
  [Type.READ]: { name: "read", overlaps: "reads", handle: read },
  [Type.WRITE]: { name: "write", overlaps: "writes", handle: write },
  [Type.LSTAT]: { name: "stat", handle: attributes },
  [Type.STAT]: { name: "stat", handle: attributes },
  [Type.FSTAT]: {
    name: "stat",
    handle: async (s, id, packet) => attrs(id, await lookAtOpen(s, s.handles.get(packet.bytes()))),
  },
  [Type.SETSTAT]: {
    name: "set",
    async handle(s, id, packet, facts) {
      const path = begin(s, facts, packet);
      await change(s, path, packet.attrs());
      return ok(id);
    },
  },
  [Type.FSETSTAT]: {
    name: "set",
    async handle(s, id, packet) {
      await changeOpen(s, s.handles.get(packet.bytes()), packet.attrs());
      return ok(id);
    },
  },
  [Type.OPENDIR]: { name: "list", handle: openFolder },
  [Type.READDIR]: { name: "list", handle: readFolder },
  [Type.REMOVE]: {
    name: "remove",
    async handle(s, id, packet, facts) {
      await removeFile(s, begin(s, facts, packet));
      return ok(id);
    },
  },
  [Type.MKDIR]: {
    name: "mkdir",
    async handle(s, id, packet, facts) {
      const path = begin(s, facts, packet);
      await mkdir(s.session, { verb: "mkdir", path, parents: false });
      return ok(id);
    },
  },
  [Type.RMDIR]: {
    name: "remove",
    async handle(s, id, packet, facts) {
      await removeFolder(s, begin(s, facts, packet));
      return ok(id);
    },
  },
  [Type.REALPATH]: {
    name: "realpath",
    handle: (_, id, packet) => pathPacket(id, resolve(packet.text())),
  },
  [Type.RENAME]: {
    name: "move",
    async handle(s, id, packet, facts) {
      await rename(s, ...beginRename(s, facts, packet), "never");
      return ok(id);
    },
  },
  [Type.READLINK]: { name: "readlink", handle: noLinks },
  [Type.SYMLINK]: { name: "symlink", handle: noLinks },
  [Type.EXTENDED]: { name: "extended", handle: extended },
};

function noLinks(): never {
  throw new BargeError("unsupported", "there are no links here");
}

async function attributes(
  s: Context,
  id: number,
  packet: PacketReader,
  facts: RequestFacts,
): Promise<Uint8Array> {
  return attrs(id, await lookAt(s, begin(s, facts, packet)));
}

function attrs(id: number, attrs: Attrs): Uint8Array {
  return new PacketWriter(Type.ATTRS, id).attrs(attrs).done();
}

/** Opens a file (section 6.3), with the flags of POSIX; written bytes become a file at CLOSE. */
async function open(
  s: Context,
  id: number,
  packet: PacketReader,
  facts: RequestFacts,
): Promise<Uint8Array> {
  const path = resolve(packet.text());
  const flags = packet.int();
  const { mtime } = packet.attrs();
  const writes = (flags & (Open.WRITE | Open.APPEND)) !== 0;
  facts.path = path;
  facts.op = writes ? "put" : "get";
  const access = s.access(facts.op, path);
  try {
    if (s.leaving) throw new BargeError("unavailable", "the server is stopping");
    const handle = await s.handles.add(() =>
      writes ? openToWrite(s, path, flags, mtime, access) : openToRead(s, path, access)
    );
    return new PacketWriter(Type.HANDLE, id).bytes(handle).done();
  } catch (error) {
    access.end(outcomeOf(error));
    throw error;
  }
}

/** A read of a file that this channel writes returns the bytes written so far. */
async function openToRead(s: Context, path: string, access: Access) {
  const writing = s.handles.writing(path);
  const file = writing
    ? await readStaged(s.session, await writing.upload.stage(), writing.modified)
    : await get(s.session, path, 0);
  return { kind: "reading", path, access, file } as const;
}

async function openToWrite(
  s: Context,
  path: string,
  flags: number,
  mtime: number | undefined,
  access: Access,
) {
  if ((flags & Open.CREAT) === 0) await stat(s.session, path); // fails if nothing exists
  const fresh = (flags & Open.TRUNC) !== 0;
  const old = fresh ? undefined : await entryAt(s, path);
  // A second handle on a new file does not resume the upload of the first, which would lose it.
  const second = !old && s.handles.writing(path) !== undefined;
  const upload = await receive(s.session, {
    path,
    size: null,
    modified: mtime === undefined ? null : mtime * 1000,
    overwrite: (flags & Open.CREAT) !== 0 && (flags & Open.EXCL) !== 0 ? "never" : "always",
    base: fresh || second ? "fresh" : "old",
  });
  return {
    kind: "writing" as const,
    path,
    access,
    upload,
    end: upload.length,
    modified: old ? Date.parse(old.modified) : Date.now(),
    changed: old === undefined || mtime !== undefined,
    removed: false,
    append: (flags & Open.APPEND) !== 0,
    reads: (flags & Open.READ) !== 0,
    writes: true,
  };
}

async function read(s: Context, id: number, packet: PacketReader): Promise<Uint8Array> {
  const handle = s.handles.get(packet.bytes(), "reading", "writing");
  const offset = packet.long();
  const maxLength = Math.min(packet.int(), maxData);
  if (handle.kind === "writing" && !handle.reads) throw badHandle();
  const source = handle.kind === "reading" ? handle.file : handle.upload;
  const end = handle.kind === "reading" ? handle.file.size : handle.end;
  const length = Math.max(0, Math.min(maxLength, end - offset));
  const data = dataPacket(id, length);
  let n = 0;
  while (n < length) {
    const more = await source.readAt(offset + n, data.room.subarray(n));
    if (more === 0) break;
    n += more;
  }
  if (n === 0 && maxLength > 0) return statusPacket(id, Status.EOF, "end of file");
  if (handle.kind === "reading") handle.access.bytes += n;
  return data.done(n);
}

async function write(s: Context, id: number, packet: PacketReader): Promise<Uint8Array> {
  const handle = s.handles.get(packet.bytes(), "writing");
  const offset = packet.long();
  const bytes = packet.bytes();
  if (handle.failure) throw handle.failure;
  const at = handle.append ? handle.end : offset;
  handle.end = Math.max(handle.end, at + bytes.length);
  changed(handle);
  try {
    await handle.upload.writeAt(at, bytes);
  } catch (error) {
    throw await failWriting(handle, error);
  }
  handle.access.bytes += bytes.length;
  return ok(id);
}

async function openFolder(
  s: Context,
  id: number,
  packet: PacketReader,
  facts: RequestFacts,
): Promise<Uint8Array> {
  const path = resolve(packet.text());
  facts.path = path;
  const access = s.access("list", path);
  try {
    const handle = await s.handles.add(async () => {
      const { entry } = await stat(s.session, path);
      if (entry?.type !== "dir") throw new BargeError("no-directory", "it is no folder");
      const rest = [".", ".."].map((name) => ({ ...owned(s, path, entry), name }));
      return { kind: "listing", path, access, batches: list(s.session, path, false), rest };
    });
    return new PacketWriter(Type.HANDLE, id).bytes(handle).done();
  } catch (error) {
    access.end(outcomeOf(error));
    throw error;
  }
}

async function readFolder(s: Context, id: number, packet: PacketReader): Promise<Uint8Array> {
  const handle = s.handles.get(packet.bytes(), "listing");
  if (handle.rest.length === 0) {
    const { value: batch } = await handle.batches.next();
    handle.rest = batch ? shown(s, handle.path, batch) : [];
  }
  if (handle.rest.length === 0) return statusPacket(id, Status.EOF, "end of folder");
  const users = await usersOf(s, handle.rest);
  const { reply, count } = namesPacket(id, handle.rest, users);
  handle.rest = handle.rest.slice(count);
  return reply;
}
