/**
 * The zip format (PKWARE's APPNOTE 6.3.10), uncompressed: (header, bytes, descriptor)*, directory, end.
 *
 * A file's checksum is only known after its bytes, so it follows them (section 4.3.9). Sizes above 32
 * bits, and more members than 16 bits count, need zip64 records (4.3.14 and 4.5.3). A member's time is
 * written as local time without a zone, and in seconds since 1970 (Info-ZIP's extra field 0x5455).
 */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

/** A file or folder of an archive, as its header describes it. */
export interface ArchiveMember {
  /** Relative; a folder's ends in a slash. */
  readonly name: string;
  readonly type: "file" | "dir";
  /** The expected number of bytes. The central directory gets the number that was added. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** The values that mean "see zip64" in fields of 32 and 16 bits. */
const zip64Marker32 = 0xffffffff;
const zip64Marker16 = 0xffff;
/** The versions that a reader needs: 2.0 for folders, 4.5 for zip64. */
const version20 = 20;
const version45 = 45;
/** Made by Unix, so the attributes are a mode. */
const madeByUnix = 3 << 8;
/** Flags: names are UTF-8; a file's checksum and sizes follow its bytes. */
const flagsOf = ({ type }: ArchiveMember) => type === "file" ? 0x0808 : 0x0800;

/**
 * Returns a name that is safe to unpack. Windows programs take a backslash for a separator, so that
 * `..\\x` leads out of the folder, and a letter with a colon for a drive. Both are percent-encoded.
 *
 * @example
 * ```ts
 * import { zipName } from "./zip.ts";
 * if (zipName("a/..\\..\\b") !== "a/..%5C..%5Cb") throw new Error();
 * if (zipName("C:/d:e/10:30") !== "C%3A/d%3Ae/10:30") throw new Error();
 * ```
 */
export function zipName(name: string): string {
  return name.replaceAll("\\", "%5C").replace(/(^|\/)([A-Za-z]):/g, "$1$2%3A");
}

/**
 * Makes the parts of one archive, in order.
 *
 * @example
 * ```ts
 * import { ZipWriter } from "./zip.ts";
 * const zip = new ZipWriter();
 * const file = new TextEncoder().encode("hello");
 * const parts = [zip.begin({ name: "a", type: "file", size: 5, modified: 0 }), file];
 * zip.add(file);
 * parts.push(zip.end(), ...zip.finish());
 * if (parts[0][0] !== 0x50) throw new Error();
 * ```
 */
export class ZipWriter {
  /** Bytes of the archive so far. */
  #offset = 0;
  #member: { readonly facts: ArchiveMember; readonly offset: number } | undefined;
  #size = 0;
  #crc = 0;
  /** The members' records in the central directory. */
  readonly #records: Uint8Array[] = [];

  /** Begins a member. @returns its header */
  begin(member: ArchiveMember): Uint8Array {
    const facts = { ...member, name: zipName(member.name) };
    const name = Buffer.from(facts.name);
    const large = facts.size >= zip64Marker32;
    // A zip64 field means that the descriptor has sizes of 8 bytes.
    const zip64 = large ? zip64Field(0n, 0n) : Buffer.alloc(0);
    const extra = Buffer.concat([timeField(facts.modified), zip64]);
    const head = Buffer.alloc(30);
    head.write("PK\x03\x04", "latin1");
    head.writeUInt16LE(large ? version45 : version20, 4);
    head.writeUInt16LE(flagsOf(facts), 6);
    head.writeUInt32LE(dosTime(facts.modified), 10);
    if (large) head.fill(0xff, 18, 26);
    head.writeUInt16LE(name.length, 26);
    head.writeUInt16LE(extra.length, 28);
    this.#member = { facts, offset: this.#offset };
    this.#size = this.#crc = 0;
    return this.#counted(Buffer.concat([head, name, extra]));
  }

  /** Counts and checksums the next bytes of the member. */
  add(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
    this.#size += bytes.length;
    this.#offset += bytes.length;
  }

  /**
   * Ends a member.
   *
   * @returns the descriptor that follows its bytes
   * @throws {RangeError} for a member of more than 4 GiB whose expected size was less
   */
  end(): Uint8Array {
    const { facts, offset } = this.#member!;
    const [size, crc] = [this.#size, this.#crc];
    const large = facts.size >= zip64Marker32;
    if (!large && size >= zip64Marker32) throw new RangeError("a member is larger than expected");
    this.#records.push(recordOf({ ...facts, size }, crc, offset));
    if (facts.type === "dir") return new Uint8Array();
    const bytes = Buffer.alloc(large ? 24 : 16);
    bytes.write("PK\x07\x08", "latin1");
    bytes.writeUInt32LE(crc, 4);
    for (const i of [0, 1]) {
      if (large) bytes.writeBigUInt64LE(BigInt(size), 8 + 8 * i);
      else bytes.writeUInt32LE(size, 8 + 4 * i);
    }
    return this.#counted(bytes);
  }

  /** Returns the end of the archive: its directory. */
  *finish(): Generator<Uint8Array, void, void> {
    const count = this.#records.length;
    const start = this.#offset;
    for (const record of this.#records) yield this.#counted(record);
    const size = this.#offset - start;
    if (count >= zip64Marker16 || size >= zip64Marker32 || start >= zip64Marker32) {
      yield zip64End(count, size, start);
    }
    const end = Buffer.alloc(22);
    end.write("PK\x05\x06", "latin1");
    end.writeUInt16LE(Math.min(count, zip64Marker16), 8);
    end.writeUInt16LE(Math.min(count, zip64Marker16), 10);
    end.writeUInt32LE(Math.min(size, zip64Marker32), 12);
    end.writeUInt32LE(Math.min(start, zip64Marker32), 16);
    yield end;
  }

  #counted(bytes: Uint8Array): Uint8Array {
    this.#offset += bytes.length;
    return bytes;
  }
}

/** Returns a member's record in the central directory (section 4.3.12). @param offset of its header */
function recordOf(member: ArchiveMember, crc: number, offset: number): Uint8Array {
  const { name: text, type, modified, size } = member;
  const name = Buffer.from(text);
  const large: bigint[] = [];
  if (size >= zip64Marker32) large.push(BigInt(size), BigInt(size));
  if (offset >= zip64Marker32) large.push(BigInt(offset));
  const zip64 = large.length > 0 ? zip64Field(...large) : Buffer.alloc(0);
  const extra = Buffer.concat([timeField(modified), zip64]);
  const head = Buffer.alloc(46);
  head.write("PK\x01\x02", "latin1");
  head.writeUInt16LE(madeByUnix | version45, 4);
  head.writeUInt16LE(large.length > 0 ? version45 : version20, 6);
  head.writeUInt16LE(flagsOf(member), 8);
  head.writeUInt32LE(dosTime(modified), 12);
  head.writeUInt32LE(crc, 16);
  head.writeUInt32LE(Math.min(size, zip64Marker32), 20);
  head.writeUInt32LE(Math.min(size, zip64Marker32), 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt16LE(extra.length, 30);
  const folder = type === "dir";
  head.writeUInt32LE((folder ? 0o040755 : 0o100644) * 0x10000 + (folder ? 0x10 : 0), 38);
  head.writeUInt32LE(Math.min(offset, zip64Marker32), 42);
  return Buffer.concat([head, name, extra]);
}

/** Returns the "zip64 end of central directory" record and locator (sections 4.3.14 and 4.3.15). */
function zip64End(count: number, size: number, start: number): Uint8Array {
  const bytes = Buffer.alloc(56 + 20);
  bytes.write("PK\x06\x06", "latin1");
  bytes.writeBigUInt64LE(44n, 4); // bytes of this record that follow
  bytes.writeUInt16LE(madeByUnix | version45, 12);
  bytes.writeUInt16LE(version45, 14);
  for (const [i, value] of [count, count, size, start].entries()) {
    bytes.writeBigUInt64LE(BigInt(value), 24 + 8 * i);
  }
  bytes.write("PK\x06\x07", 56, "latin1");
  bytes.writeBigUInt64LE(BigInt(start + size), 64);
  bytes.writeUInt32LE(1, 72);
  return bytes;
}

/** Returns the extra field of zip64 (section 4.5.3). */
function zip64Field(...values: readonly bigint[]): Uint8Array {
  const bytes = Buffer.alloc(4 + 8 * values.length);
  bytes.writeUInt16LE(0x0001);
  bytes.writeUInt16LE(8 * values.length, 2);
  for (const [i, value] of values.entries()) bytes.writeBigUInt64LE(value, 4 + 8 * i);
  return bytes;
}

/** Returns Info-ZIP's extra field with the time in UTC; empty for a time beyond 32 bits. */
function timeField(modified: number): Uint8Array {
  const seconds = Math.floor(modified / 1000);
  if (Math.abs(seconds) >= 2 ** 31) return new Uint8Array();
  const bytes = Buffer.alloc(9);
  bytes.writeUInt16LE(0x5455);
  bytes.writeUInt16LE(5, 2);
  bytes[4] = 1; // the time of modification alone
  bytes.writeInt32LE(seconds, 5);
  return bytes;
}

/** Returns a date and time, from 1980 to 2107, in steps of 2 s (section 4.4.6). */
function dosTime(modified: number): number {
  const time = new Date(modified);
  const year = time.getFullYear();
  if (!(year >= 1980)) return (1 << 5 | 1) << 16;
  if (year > 2107) return dosTime(new Date(2107, 11, 31, 23, 59, 58).getTime());
  const date = (year - 1980 << 9 | time.getMonth() + 1 << 5 | time.getDate()) * 0x10000;
  return date + (time.getHours() << 11 | time.getMinutes() << 5 | time.getSeconds() >> 1);
}
