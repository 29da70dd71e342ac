/**
 * What version 3 has grown (EXTENDED, draft-ietf-secsh-filexfer-02, section 8): OpenSSH's extensions,
 * as its file PROTOCOL describes them, and `copy-data` and `check-file` of the later drafts.
 */
import { Buffer } from "node:buffer";
import { BargeError } from "../../error.ts";
import { borrow, giveBack } from "../../disk/buffer_pool.ts";
import { quota } from "../../session/quota.ts";
import { change, pathPacket, usersOf } from "./attributes.ts";
import { checkFile } from "./check_file.ts";
import { userOf } from "./entries.ts";
import { changed, failWriting, mostHandles, type Reading, type Writing } from "./handle.ts";
import { maxData, maxPacket } from "./limits.ts";
import { type PacketReader, PacketWriter, Type } from "./packet.ts";
import { expandTilde, resolve, start } from "./paths.ts";
import { rename } from "./names.ts";
import { type Asked, begin, beginRename, ok } from "./request.ts";
import type { Sftp } from "./sftp.ts";
import { badHandle } from "./status.ts";

const version = 3;

interface Extension {
  /** As announced; undefined: it is understood, and not announced. */
  readonly version?: string;
  handle(
    s: Sftp,
    id: number,
    packet: PacketReader,
    asked: Asked,
  ): Promise<Uint8Array> | Uint8Array;
}

const extensions: { readonly [name: string]: Extension } = {
  "posix-rename@openssh.com": {
    version: "1",
    async handle(s, id, packet, asked) {
      await rename(s, ...beginRename(s, asked, packet), "always");
      return ok(id);
    },
  },
  "statvfs@openssh.com": { version: "2", handle: statvfs },
  "fstatvfs@openssh.com": { version: "2", handle: statvfs },
  "fsync@openssh.com": {
    version: "1",
    async handle(s, id, packet) {
      // What was written so far is in the staged file; it is synced when it becomes one, at CLOSE.
      const handle = s.handles.get(packet.bytes(), "writing");
      if (handle.failure) throw handle.failure;
      await handle.upload.settled();
      return ok(id);
    },
  },
  "lsetstat@openssh.com": {
    version: "1",
    async handle(s, id, packet, asked) {
      await change(s, begin(s, asked, packet, "set"), packet.attrs());
      return ok(id);
    },
  },
  "limits@openssh.com": {
    version: "1",
    handle: (_, id) =>
      new PacketWriter(Type.EXTENDED_REPLY, id)
        .long(maxPacket).long(maxData).long(maxData).long(mostHandles).done(),
  },
  "expand-path@openssh.com": {
    version: "1",
    handle: (s, id, packet) => pathPacket(id, resolve(expandTilde(packet.text(), s.account))),
  },
  "home-directory": { version: "1", handle: (_, id) => pathPacket(id, start) },
  "users-groups-by-id@openssh.com": { version: "1", handle: names },
  "copy-data": { version: "1", handle: copyData },
  "check-file": { version: "1", handle: checkFile.ofHandle },
  "check-file-handle": { handle: checkFile.ofHandle },
  "check-file-name": { handle: checkFile.ofName },
};

/** The VERSION packet: whatever version a client asks for, it is this one. */
export function announce(): Uint8Array {
  const packet = new PacketWriter(Type.VERSION, version, 512);
  for (const [name, { version }] of Object.entries(extensions)) {
    if (version !== undefined) packet.text(name).text(version);
  }
  return packet.done();
}

export async function extended(
  s: Sftp,
  id: number,
  packet: PacketReader,
  asked: Asked,
): Promise<Uint8Array> {
  const name = packet.text();
  const extension = Object.hasOwn(extensions, name) ? extensions[name] : undefined;
  if (!extension) {
    throw new BargeError("unsupported", `there is no ${JSON.stringify(name.slice(0, 60))}`);
  }
  return await extension.handle(s, id, packet, asked);
}

/** What an account without a limit is told to have: a pebibyte. */
const boundless = 2 ** 50;

/** And of entries. */
const boundlessEntries = 2 ** 32;

/** The account's quota as the size of the file system, to the byte; entries are its inodes. */
async function statvfs(s: Sftp, id: number): Promise<Uint8Array> {
  const { limit, used, left, entries = 0, entryLimit } = await quota(s.session);
  const size = limit ?? boundless;
  const free = left ?? Math.max(0, boundless - used);
  const reply = new PacketWriter(Type.EXTENDED_REPLY, id, 128);
  const [preferred, unit, system, noSetuid, longestName] = [4096, 1, 0, 2, 255];
  const inodes = entryLimit ?? boundlessEntries;
  const freeInodes = Math.max(0, inodes - entries);
  reply.long(preferred).long(unit).long(size).long(free).long(free);
  reply.long(inodes).long(freeInodes).long(freeInodes);
  return reply.long(system).long(noSetuid).long(longestName).done();
}

/** The names of accounts that were told as numbers; every user is a group, too. */
function names(s: Sftp, id: number, packet: PacketReader): Uint8Array {
  const users = usersOf(s);
  const nameOf = (number: number) =>
    number === userOf.nobody ? "nobody" : users.nameOf(userOf.id(number)) ?? "";
  const named = () => {
    const numbers = Buffer.from(packet.bytes());
    const list: Buffer[] = [];
    for (let at = 0; at + 4 <= Math.min(numbers.length, 4096); at += 4) {
      const name = Buffer.from(nameOf(numbers.readUInt32BE(at)));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(name.length);
      list.push(length, name);
    }
    return Buffer.concat(list);
  };
  const [people, groups] = [named(), named()];
  const room = 32 + people.length + groups.length;
  return new PacketWriter(Type.EXTENDED_REPLY, id, room).bytes(people).bytes(groups).done();
}

/** draft-ietf-secsh-filexfer-extensions-00, section 7: copies between two handles; 0: to the end. */
async function copyData(s: Sftp, id: number, packet: PacketReader): Promise<Uint8Array> {
  const from = s.handles.get(packet.bytes(), "reading", "writing");
  const start = packet.long();
  const length = packet.long() || Infinity;
  const to = s.handles.get(packet.bytes(), "writing");
  const at = packet.long();
  if (from.kind === "writing" && !from.reads) throw badHandle();
  if (to.failure) throw to.failure;
  if (from === to && at < start + length && start < at + length) {
    throw new BargeError("usage", "the two parts of the file overlap");
  }
  const buffer = borrow();
  try {
    await copy(s, from, start, length, to, at, buffer);
  } finally {
    giveBack(buffer);
  }
  return ok(id);
}

async function copy(
  s: Sftp,
  from: Reading | Writing,
  start: number,
  length: number,
  to: Writing,
  at: number,
  buffer: Uint8Array,
): Promise<void> {
  const source = from.kind === "reading" ? from.file : from.upload;
  for (let done = 0; done < length;) {
    s.ended.throwIfAborted();
    const piece = buffer.subarray(0, Math.min(buffer.length, length - done));
    const n = await source.readAt(start + done, piece);
    if (n === 0) return;
    try {
      changed(to);
      await to.upload.writeAt(at + done, piece.subarray(0, n));
    } catch (error) {
      throw await failWriting(to, error);
    }
    done += n;
    to.end = Math.max(to.end, at + done);
    to.access.bytes += n;
  }
}
