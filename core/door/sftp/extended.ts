/**
 * The extensions of version 3 (EXTENDED, draft-ietf-secsh-filexfer-02, section 8): OpenSSH's, as its
 * file PROTOCOL describes them, and `copy-data` and `check-file` of the later drafts.
 */
import { Buffer } from "node:buffer";
import { BargeError } from "../../error.ts";
import { borrow, giveBack } from "../../disk/buffer_pool.ts";
import { quota } from "../../session/quota.ts";
import { change, pathPacket } from "./attributes.ts";
import { checkNamedFile, checkOpenFile } from "./check_file.ts";
import { userOf } from "./entries.ts";
import { changeUpload, maxHandles } from "./handle.ts";
import { maxData, maxPacket, PacketReader, PacketWriter, Type } from "./packet.ts";
import { expandTilde, resolve, start } from "./paths.ts";
import { rename } from "./rename.ts";
import { begin, beginRename, type Handle, type SftpRequest } from "./request.ts";

const version = 3;

interface Extension {
  /** The announced version; undefined for an extension that is not announced. */
  readonly version?: string;
  readonly handle: Handle;
}

const extensions: { readonly [name: string]: Extension } = {
  "posix-rename@openssh.com": {
    version: "1",
    handle: (request) => rename(request.sftp, ...beginRename(request), "always"),
  },
  "statvfs@openssh.com": { version: "2", handle: statvfs },
  "fstatvfs@openssh.com": { version: "2", handle: statvfs },
  "fsync@openssh.com": {
    version: "1",
    async handle({ sftp, packet }) {
      // The answer means that the bytes are in staging. They are synced only at CLOSE.
      const handle = sftp.handles.get(packet.bytes(), "writing");
      if (handle.failure) throw handle.failure;
      await handle.upload.settled();
    },
  },
  "lsetstat@openssh.com": {
    version: "1",
    handle: (request) => change(request.sftp, begin(request, "set"), request.packet.attrs()),
  },
  "limits@openssh.com": {
    version: "1",
    handle: ({ id }) =>
      new PacketWriter(Type.EXTENDED_REPLY, id)
        .long(maxPacket).long(maxData).long(maxData).long(maxHandles).done(),
  },
  "expand-path@openssh.com": {
    version: "1",
    handle: ({ sftp, id, packet }) =>
      pathPacket(id, resolve(expandTilde(packet.text(), sftp.session.name))),
  },
  "home-directory": { version: "1", handle: ({ id }) => pathPacket(id, start) },
  "users-groups-by-id@openssh.com": { version: "1", handle: names },
  "copy-data": { version: "1", handle: copyData },
  "check-file": { version: "1", handle: checkOpenFile },
  "check-file-handle": { handle: checkOpenFile },
  "check-file-name": { handle: checkNamedFile },
};

/** Returns the VERSION packet, which is the same for every client version. */
export function announce(): Uint8Array {
  const packet = new PacketWriter(Type.VERSION, version, 512);
  for (const [name, { version }] of Object.entries(extensions)) {
    if (version !== undefined) packet.text(name).text(version);
  }
  return packet.done();
}

export async function extended(request: SftpRequest): Promise<Uint8Array | void> {
  const name = request.packet.text();
  const extension = Object.hasOwn(extensions, name) ? extensions[name] : undefined;
  if (extension) return await extension.handle(request);
  throw new BargeError("unsupported", `there is no ${JSON.stringify(name.slice(0, 60))}`);
}

/** The announced size of an account without a quota: a pebibyte. */
const unlimitedBytes = 2 ** 50;

/** The announced entries of an account without an entry limit. */
const unlimitedEntries = 2 ** 32;

/** Returns the quota as the size of the file system, in blocks of a byte; its inodes are entries. */
async function statvfs({ sftp, id }: SftpRequest): Promise<Uint8Array> {
  const { limit, used, left, entries = 0, entryLimit } = await quota(sftp.session);
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

/** The most bytes of user or group numbers in a request; a number has four. */
const maxNumberBytes = 4096;

/** Returns the names of users and groups by their numbers; every user is a group, too. */
async function names({ sftp, id, packet }: SftpRequest): Promise<Uint8Array> {
  const { accounts } = sftp.session.store.people;
  const named = async () => {
    const numbers = new PacketReader(packet.bytes().subarray(0, maxNumberBytes));
    const list: Buffer[] = [];
    while (numbers.left >= 4) {
      const number = numbers.int();
      const nobody = number === userOf.nobody;
      const name = nobody ? "nobody" : (await accounts.byId(userOf.id(number)))?.name ?? "";
      list.push(Buffer.from([0, 0, 0, Buffer.byteLength(name)]), Buffer.from(name));
    }
    return Buffer.concat(list);
  };
  const users = await named();
  return new PacketWriter(Type.EXTENDED_REPLY, id).bytes(users).bytes(await named()).done();
}

/** Copies between two handles; length 0 means to the end (filexfer-extensions-00, section 7). */
async function copyData({ sftp, packet }: SftpRequest): Promise<void> {
  const { handle: from, source } = sftp.handles.readable(packet.bytes());
  const start = packet.long();
  const length = packet.long() || Infinity;
  const to = sftp.handles.get(packet.bytes(), "writing");
  const position = packet.long();
  if (to.failure) throw to.failure;
  if (from === to && position < start + length && start < position + length) {
    throw new BargeError("usage", "the two parts of the file overlap");
  }
  const buffer = borrow();
  try {
    for (let done = 0; done < length;) {
      sftp.ended.throwIfAborted();
      const piece = buffer.subarray(0, Math.min(buffer.length, length - done));
      const n = await source.readAt(start + done, piece);
      if (n === 0) return;
      await changeUpload(to, () => to.upload.writeAt(position + done, piece.subarray(0, n)));
      done += n;
      to.end = Math.max(to.end, position + done);
      to.access.bytes += n;
    }
  } finally {
    giveBack(buffer);
  }
}
