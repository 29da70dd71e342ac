/**
 * The extensions of version 3 (EXTENDED, draft-ietf-secsh-filexfer-02, section 8): OpenSSH's, as its
 * file PROTOCOL describes them, and `copy-data` and `check-file` of the later drafts.
 */
import { Buffer } from "node:buffer";
import { BargeError } from "../../error.ts";
import { borrow, giveBack } from "../../disk/pool.ts";
import { quota } from "../../session/quota.ts";
import { change, pathPacket } from "./attributes.ts";
import { checkFile } from "./check_file.ts";
import { userOf } from "./entries.ts";
import { changed, failWriting, maxHandles, type Reading, type Writing } from "./handle.ts";
import { maxData, maxPacket } from "./limits.ts";
import { type PacketReader, PacketWriter, Type } from "./packet.ts";
import { expandTilde, resolve, start } from "./paths.ts";
import { rename } from "./rename.ts";
import { begin, beginRename, ok, type RequestFacts } from "./request.ts";
import type { Context } from "./context.ts";
import { badHandle } from "./status.ts";

const version = 3;

interface Extension {
  /** The announced version; undefined for an extension that is not announced. */
  readonly version?: string;
  handle(
    s: Context,
    id: number,
    packet: PacketReader,
    facts: RequestFacts,
  ): Promise<Uint8Array> | Uint8Array;
}

const extensions: { readonly [name: string]: Extension } = {
  "posix-rename@openssh.com": {
    version: "1",
    async handle(s, id, packet, facts) {
      await rename(s, ...beginRename(s, facts, packet), "always");
      return ok(id);
    },
  },
  "statvfs@openssh.com": { version: "2", handle: statvfs },
  "fstatvfs@openssh.com": { version: "2", handle: statvfs },
  "fsync@openssh.com": {
    version: "1",
    async handle(s, id, packet) {
      // The bytes are in the staged file then; they are synced at CLOSE.
      const handle = s.handles.get(packet.bytes(), "writing");
      if (handle.failure) throw handle.failure;
      await handle.upload.settled();
      return ok(id);
    },
  },
  "lsetstat@openssh.com": {
    version: "1",
    async handle(s, id, packet, facts) {
      await change(s, begin(s, facts, packet, "set"), packet.attrs());
      return ok(id);
    },
  },
  "limits@openssh.com": {
    version: "1",
    handle: (_, id) =>
      new PacketWriter(Type.EXTENDED_REPLY, id)
        .long(maxPacket).long(maxData).long(maxData).long(maxHandles).done(),
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

/** Returns the VERSION packet, which is the same for every client version. */
export function announce(): Uint8Array {
  const packet = new PacketWriter(Type.VERSION, version, 512);
  for (const [name, { version }] of Object.entries(extensions)) {
    if (version !== undefined) packet.text(name).text(version);
  }
  return packet.done();
}

export async function extended(
  s: Context,
  id: number,
  packet: PacketReader,
  facts: RequestFacts,
): Promise<Uint8Array> {
  const name = packet.text();
  const extension = Object.hasOwn(extensions, name) ? extensions[name] : undefined;
  if (!extension) {
    throw new BargeError("unsupported", `there is no ${JSON.stringify(name.slice(0, 60))}`);
  }
  return await extension.handle(s, id, packet, facts);
}

/** The announced size of an account without a quota: a pebibyte. */
const unlimitedBytes = 2 ** 50;

/** The announced entries of an account without an entry limit. */
const unlimitedEntries = 2 ** 32;

/** Returns the quota as the size of the file system, in blocks of a byte; its inodes are entries. */
async function statvfs(s: Context, id: number): Promise<Uint8Array> {
  const { limit, used, left, entries = 0, entryLimit } = await quota(s.session);
  const size = limit ?? unlimitedBytes;
  const free = left ?? Math.max(0, unlimitedBytes - used);
  const reply = new PacketWriter(Type.EXTENDED_REPLY, id, 128);
  const [preferred, unit, system, noSetuid, longestName] = [4096, 1, 0, 2, 255];
  const inodes = entryLimit ?? unlimitedEntries;
  const freeInodes = Math.max(0, inodes - entries);
  reply.long(preferred).long(unit).long(size).long(free).long(free);
  reply.long(inodes).long(freeInodes).long(freeInodes);
  return reply.long(system).long(noSetuid).long(longestName).done();
}

/** The most bytes of numbers that are answered, four each. */
const maxNumberBytes = 4096;

/** Answers numbers of users and groups by names; every user is a group, too. */
async function names(s: Context, id: number, packet: PacketReader): Promise<Uint8Array> {
  const { accounts } = s.session.store.people;
  const nameOf = async (number: number) =>
    number === userOf.nobody ? "nobody" : (await accounts.byId(userOf.id(number)))?.name ?? "";
  const named = async () => {
    const numbers = Buffer.from(packet.bytes());
    const list: Buffer[] = [];
    for (let at = 0; at + 4 <= Math.min(numbers.length, maxNumberBytes); at += 4) {
      const name = Buffer.from(await nameOf(numbers.readUInt32BE(at)));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(name.length);
      list.push(length, name);
    }
    return Buffer.concat(list);
  };
  const people = await named();
  const groups = await named();
  const room = 32 + people.length + groups.length;
  return new PacketWriter(Type.EXTENDED_REPLY, id, room).bytes(people).bytes(groups).done();
}

/** Copies between two handles; length 0 means to the end (filexfer-extensions-00, section 7). */
async function copyData(s: Context, id: number, packet: PacketReader): Promise<Uint8Array> {
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
  s: Context,
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
