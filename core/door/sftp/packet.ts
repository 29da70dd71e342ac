/**
 * Parses and builds packets of SFTP version 3 (draft-ietf-secsh-filexfer-02), without I/O.
 *
 * Invariants: nothing is read beyond a packet's end; a number that is no safe integer is refused,
 * not rounded; text is valid UTF-8.
 */
import { Buffer } from "node:buffer";
import { BargeError } from "../../error.ts";

/** The size of the longest packet, without its length field, as in OpenSSH's server. */
export const maxPacket = 256 * 1024;
/** The most bytes of one read or write. */
export const maxData = maxPacket - 1024;

/** Packet types (section 3). */
export const Type = {
  INIT: 1,
  VERSION: 2,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  WRITE: 6,
  LSTAT: 7,
  FSTAT: 8,
  SETSTAT: 9,
  FSETSTAT: 10,
  OPENDIR: 11,
  READDIR: 12,
  REMOVE: 13,
  MKDIR: 14,
  RMDIR: 15,
  REALPATH: 16,
  STAT: 17,
  RENAME: 18,
  READLINK: 19,
  SYMLINK: 20,
  STATUS: 101,
  HANDLE: 102,
  DATA: 103,
  NAME: 104,
  ATTRS: 105,
  EXTENDED: 200,
  EXTENDED_REPLY: 201,
} as const;

/** Statuses (section 7). */
export const Status = {
  OK: 0,
  EOF: 1,
  NO_SUCH_FILE: 2,
  PERMISSION_DENIED: 3,
  FAILURE: 4,
  BAD_MESSAGE: 5,
  OP_UNSUPPORTED: 8,
} as const;

/** Flags of OPEN (section 6.3). */
export const Open = {
  READ: 0x01,
  WRITE: 0x02,
  APPEND: 0x04,
  CREAT: 0x08,
  TRUNC: 0x10,
  EXCL: 0x20,
} as const;

/** Attributes of a file, or those to set (section 5). */
export interface Attrs {
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** With the type's bits, as in `st_mode`. */
  readonly mode?: number;
  /** Seconds since 1970. */
  readonly atime?: number;
  readonly mtime?: number;
}

const Has = { SIZE: 1, OWNER: 2, MODE: 4, TIMES: 8, EXTENDED: 0x80000000 } as const;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a packet field by field. Each method throws `protocol` at a truncated packet. */
export class PacketReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The number of unread bytes. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#skip(1));
  }

  int(): number {
    return this.#bytes.readUInt32BE(this.#skip(4));
  }

  /** @throws {BargeError} `refused` beyond 2^53 - 1 */
  long(): number {
    const at = this.#skip(8);
    const high = this.#bytes.readUInt32BE(at);
    if (high >= 0x200000) throw new BargeError("refused", "no file is that long");
    return high * 0x1_0000_0000 + this.#bytes.readUInt32BE(at + 4);
  }

  /** Reads a string of bytes, as a view of the packet. */
  bytes(): Uint8Array {
    const length = this.int();
    return this.#view(this.#skip(length), length);
  }

  /** @throws {BargeError} `usage` if it is not UTF-8 */
  text(): string {
    const bytes = this.bytes();
    try {
      return utf8.decode(bytes);
    } catch {
      throw new BargeError("usage", "a name that is not valid UTF-8");
    }
  }

  attrs(): Attrs {
    const has = this.int();
    const size = has & Has.SIZE ? this.long() : undefined;
    const [uid, gid] = has & Has.OWNER ? [this.int(), this.int()] : [];
    const mode = has & Has.MODE ? this.int() : undefined;
    const [atime, mtime] = has & Has.TIMES ? [this.int(), this.int()] : [];
    if (has & Has.EXTENDED) {
      for (let left = this.int(); left > 0; left--) {
        this.bytes();
        this.bytes();
      }
    }
    return { size, uid, gid, mode, atime, mtime };
  }

  /** Reads all remaining bytes, as a view of the packet. */
  rest(): Uint8Array {
    const { left } = this;
    return this.#view(this.#skip(left), left);
  }

  #view(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + at, length);
  }

  #skip(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw new BargeError("protocol", "a truncated packet");
    this.#at += length;
    return at;
  }
}

/** Makes a packet with its length in front. */
export class PacketWriter {
  #bytes: Buffer;
  #end = 4;

  /** @param room the expected size */
  constructor(type: number, id: number, room = 64) {
    this.#bytes = Buffer.allocUnsafe(room);
    this.byte(type).int(id);
  }

  /** The size so far, without the length field. */
  get length(): number {
    return this.#end - 4;
  }

  byte(value: number): this {
    return this.#put(1, (bytes, at) => bytes.writeUInt8(value, at));
  }

  int(value: number): this {
    return this.#put(4, (bytes, at) => bytes.writeUInt32BE(value >>> 0, at));
  }

  long(value: number): this {
    return this.int(Math.floor(value / 0x1_0000_0000)).int(value % 0x1_0000_0000);
  }

  bytes(value: Uint8Array): this {
    return this.int(value.length).raw(value);
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value));
  }

  raw(value: Uint8Array): this {
    return this.#put(value.length, (bytes, at) => bytes.set(value, at));
  }

  attrs({ size, uid, gid, mode, atime, mtime }: Attrs): this {
    const owned = uid !== undefined && gid !== undefined;
    const timed = atime !== undefined && mtime !== undefined;
    this.int(
      (size === undefined ? 0 : Has.SIZE) | (owned ? Has.OWNER : 0) |
        (mode === undefined ? 0 : Has.MODE) | (timed ? Has.TIMES : 0),
    );
    if (size !== undefined) this.long(size);
    if (owned) this.int(uid).int(gid);
    if (mode !== undefined) this.int(mode);
    if (timed) this.int(atime).int(mtime);
    return this;
  }

  /** @param count replaces the first number behind the id, which is the number of entries */
  done(count?: number): Uint8Array {
    this.#bytes.writeUInt32BE(this.#end - 4, 0);
    if (count !== undefined) this.#bytes.writeUInt32BE(count, 4 + 1 + 4);
    return this.#bytes.subarray(0, this.#end);
  }

  #put(size: number, write: (bytes: Buffer, at: number) => void): this {
    const at = this.#end;
    this.#end += size;
    if (this.#end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#end, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    write(this.#bytes, at);
    return this;
  }
}

/** The bytes of a DATA packet in front of its data. */
export const dataHeadBytes = 4 + 1 + 4 + 4;

/**
 * Returns a DATA packet (section 7) with room that the caller reads bytes into.
 *
 * @param buffer holds the packet; default: fresh memory
 *
 * @example
 * ```ts
 * import { dataPacket } from "./packet.ts";
 * const packet = dataPacket(7, 100);
 * packet.room.set([1, 2, 3]);
 * if (packet.done(3).length !== 4 + 1 + 4 + 4 + 3) throw new Error();
 * ```
 */
export function dataPacket(id: number, maxBytes: number, buffer?: Uint8Array) {
  const head = dataHeadBytes;
  const bytes = buffer
    ? Buffer.from(buffer.buffer, buffer.byteOffset, head + maxBytes)
    : Buffer.allocUnsafe(head + maxBytes);
  return {
    room: bytes.subarray(head),
    /** @param length the number of bytes in the room */
    done(length: number): Uint8Array {
      bytes.writeUInt32BE(1 + 4 + 4 + length, 0);
      bytes.writeUInt8(Type.DATA, 4);
      bytes.writeUInt32BE(id, 5);
      bytes.writeUInt32BE(length, 9);
      return bytes.subarray(0, head + length);
    },
  };
}

/** @param text for people; few clients show it */
export function statusPacket(id: number, status: number, text = ""): Uint8Array {
  const room = 32 + 3 * text.length;
  return new PacketWriter(Type.STATUS, id, room).int(status).text(text).text("").done();
}
