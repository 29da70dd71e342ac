/** The requests of SFTP version 3 and their handlers. */
import { BargeError } from "../../error.ts";
import { get } from "../../session/get.ts";
import type { FileContent } from "../../storage/content.ts";
import { list } from "../../session/list.ts";
import { mkdir } from "../../session/mkdir.ts";
import { receive } from "../../upload/receive.ts";
import { stat } from "../../session/stat.ts";
import { type Access, outcomeOf } from "../access.ts";
import {
  change,
  changeOpen,
  listedEntries,
  lookAt,
  lookAtOpen,
  namesPacket,
  pathPacket,
  usersOf,
  withOwner,
} from "./attributes.ts";
import { resolve } from "./paths.ts";
import { extended } from "./extended.ts";
import { changeUpload, type OpenFile, type Reading, type Writing } from "./handle.ts";
import {
  type Attrs,
  dataHeadBytes,
  dataPacket,
  maxData,
  Open,
  PacketWriter,
  Status,
  statusPacket,
  Type,
} from "./packet.ts";
import { entryAt, removeFile, removeFolder, rename } from "./rename.ts";
import {
  begin,
  beginRename,
  borrowLarge,
  type Context,
  type Handler,
  type SftpRequest,
} from "./request.ts";

export const requests: { readonly [type: number]: Handler } = {
  [Type.OPEN]: { name: "get", handle: open },
  [Type.CLOSE]: { name: "close", handle: ({ sftp, packet }) => sftp.handles.close(packet.bytes()) },
  [Type.READ]: { name: "read", overlaps: "reads", handle: read },
  [Type.WRITE]: { name: "write", overlaps: "writes", handle: write },
  [Type.LSTAT]: { name: "stat", handle: attributes },
  [Type.STAT]: { name: "stat", handle: attributes },
  [Type.FSTAT]: {
    name: "stat",
    handle: async ({ sftp, id, packet }) =>
      attrsPacket(id, await lookAtOpen(sftp, sftp.handles.get(packet.bytes()))),
  },
  [Type.SETSTAT]: {
    name: "set",
    handle: (request) => change(request.sftp, begin(request), request.packet.attrs()),
  },
  [Type.FSETSTAT]: {
    name: "set",
    handle: ({ sftp, packet }) =>
      changeOpen(sftp, sftp.handles.get(packet.bytes()), packet.attrs()),
  },
  [Type.OPENDIR]: { name: "list", handle: openFolder },
  [Type.READDIR]: { name: "list", handle: readFolder },
  [Type.REMOVE]: { name: "remove", handle: (request) => removeFile(request.sftp, begin(request)) },
  [Type.MKDIR]: {
    name: "mkdir",
    async handle(request) {
      const path = begin(request);
      await mkdir(request.sftp.session, { verb: "mkdir", path, parents: false });
    },
  },
  [Type.RMDIR]: { name: "remove", handle: (request) => removeFolder(request.sftp, begin(request)) },
  [Type.REALPATH]: {
    name: "realpath",
    handle: ({ id, packet }) => pathPacket(id, resolve(packet.text())),
  },
  [Type.RENAME]: {
    name: "move",
    handle: (request) => rename(request.sftp, ...beginRename(request), "never"),
  },
  [Type.READLINK]: { name: "readlink", handle: refuseLinks },
  [Type.SYMLINK]: { name: "symlink", handle: refuseLinks },
  [Type.EXTENDED]: { name: "extended", handle: extended },
};

function refuseLinks(): never {
  throw new BargeError("unsupported", "there are no links here");
}

async function attributes(request: SftpRequest): Promise<Uint8Array> {
  return attrsPacket(request.id, await lookAt(request.sftp, begin(request)));
}

function attrsPacket(id: number, attrs: Attrs): Uint8Array {
  return new PacketWriter(Type.ATTRS, id).attrs(attrs).done();
}

/** Opens a file (section 6.3), with the flags of POSIX; written bytes become a file at CLOSE. */
async function open(request: SftpRequest): Promise<Uint8Array> {
  const { sftp, packet } = request;
  const path = resolve(packet.text());
  const flags = packet.int();
  const { mtime } = packet.attrs();
  const writes = (flags & (Open.WRITE | Open.APPEND)) !== 0;
  request.op = writes ? "put" : "get";
  return await handlePacket(request, path, (access) => {
    if (sftp.stopping) throw new BargeError("unavailable", "the server is stopping");
    return writes ? openToWrite(sftp, path, flags, mtime, access) : openToRead(sftp, path, access);
  });
}

/** Opens a handle, and returns the answer with its name. Closing the handle ends the record. */
async function handlePacket(
  request: SftpRequest,
  path: string,
  open: (access: Access) => Promise<OpenFile>,
): Promise<Uint8Array> {
  request.path = path;
  const access = request.sftp.access(request.op, path);
  try {
    const name = await request.sftp.handles.add(() => open(access));
    return new PacketWriter(Type.HANDLE, request.id).bytes(name).done();
  } catch (error) {
    access.end(outcomeOf(error));
    throw error;
  }
}

/** A read of a file that this channel writes returns the bytes written so far. */
async function openToRead(sftp: Context, path: string, access: Access): Promise<Reading> {
  const writing = sftp.handles.writing(path);
  const file = writing
    ? await sftp.session.store.uploads.openStaged(await writing.upload.stage(), writing.modified)
    : await openReadable(sftp, path);
  return { kind: "reading", path, access, file };
}

/** Opens a file, and reads its first byte: if that fails, so does the request, and the client makes no file. */
async function openReadable({ session }: Context, path: string): Promise<FileContent> {
  const file = await get(session, path, 0);
  try {
    if (file.size > 0) await file.readAt(0, new Uint8Array(1));
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

async function openToWrite(
  sftp: Context,
  path: string,
  flags: number,
  mtime: number | undefined,
  access: Access,
): Promise<Writing> {
  if ((flags & Open.CREAT) === 0) await stat(sftp.session, path); // fails if nothing exists
  const fresh = (flags & Open.TRUNC) !== 0;
  const old = fresh ? undefined : await entryAt(sftp, path);
  // A second handle on a new file must not resume the upload of the first handle, which would lose it
  // to the second.
  const second = !old && sftp.handles.writing(path) !== undefined;
  const upload = await receive(sftp.session, {
    path,
    size: null,
    modified: mtime === undefined ? null : mtime * 1000,
    overwrite: (flags & Open.CREAT) !== 0 && (flags & Open.EXCL) !== 0 ? "never" : "always",
    base: fresh || second ? "fresh" : "old",
  });
  return {
    kind: "writing",
    path,
    access,
    upload,
    end: upload.length,
    modified: old ? Date.parse(old.modified) : Date.now(),
    changed: old === undefined || mtime !== undefined,
    removed: false,
    append: (flags & Open.APPEND) !== 0,
    reads: (flags & Open.READ) !== 0,
  };
}

async function read(request: SftpRequest): Promise<Uint8Array> {
  const { sftp, id, packet } = request;
  const { handle, source } = sftp.handles.readable(packet.bytes());
  const offset = packet.long();
  const maxLength = Math.min(packet.int(), maxData);
  const end = handle.kind === "reading" ? handle.file.size : handle.end;
  const length = Math.max(0, Math.min(maxLength, end - offset));
  const buffer = request.borrowed ? undefined : borrowLarge(dataHeadBytes + length);
  request.borrowed ??= buffer;
  const data = dataPacket(id, length, buffer);
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

async function write({ sftp, packet }: SftpRequest): Promise<void> {
  const handle = sftp.handles.get(packet.bytes(), "writing");
  const offset = packet.long();
  const bytes = packet.bytes();
  await changeUpload(handle, () => {
    const position = handle.append ? handle.end : offset;
    handle.end = Math.max(handle.end, position + bytes.length);
    return handle.upload.writeAt(position, bytes);
  });
  handle.access.bytes += bytes.length;
}

async function openFolder(request: SftpRequest): Promise<Uint8Array> {
  const { session } = request.sftp;
  const path = resolve(request.packet.text());
  return await handlePacket(request, path, async (access) => {
    const { entry } = await stat(session, path);
    if (entry?.type !== "dir") throw new BargeError("no-directory", "it is not a folder");
    const rest = [".", ".."].map((name) => ({ ...withOwner(session, path, entry), name }));
    return { kind: "listing", path, access, batches: list(session, path, false), rest };
  });
}

async function readFolder({ sftp, id, packet }: SftpRequest): Promise<Uint8Array> {
  const handle = sftp.handles.get(packet.bytes(), "listing");
  if (handle.rest.length === 0) {
    const { value: batch } = await handle.batches.next();
    handle.rest = batch ? listedEntries(sftp, handle.path, batch) : [];
  }
  if (handle.rest.length === 0) return statusPacket(id, Status.EOF, "end of folder");
  const { reply, count } = namesPacket(id, handle.rest, await usersOf(sftp, handle.rest));
  handle.rest = handle.rest.slice(count);
  return reply;
}
