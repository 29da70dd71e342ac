/**
 * The zip format (PKWARE's APPNOTE 6.3.10), nothing compressed, written while the files are read:
 *
 *   (header  bytes  descriptor)*  central directory  end
 *
 * A file's checksum is only known after its bytes, so it stands behind them (section 4.3.9). Sizes
 * above 32 bits, and more members than 16 bits count, need records of zip64 as well (4.3.14 and
 * 4.5.3). A member's time is written twice: as the format has had it since 1989, in local time
 * without its zone, and in seconds since 1970 (Info-ZIP's extra field 0x5455), which unzip prefers.
 */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

/** The facts of a file or folder in its header. */
export interface ZipMember {
  /** Relative; a folder's ends in a slash. */
  readonly name: string;
  readonly type: "file" | "dir";
  /** The announced number of bytes; the written bytes are counted. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** The values that stand for "see zip64" in fields of 32 and 16 bits. */
const no32 = 0xffffffff;
const no16 = 0xffff;
/** The versions that a reader needs: 2.0 for folders, 4.5 for zip64. */
const usual = 20;
const zip64 = 45;
/** Made by Unix, so that the attributes are a mode. */
const unix = 3 << 8;
/** Flags: names are UTF-8; a file's checksum and sizes stand behind its bytes. */
const flagsOf = ({ type }: ZipMember) => type === "file" ? 0x0808 : 0x0800;

/**
 * A name that no program takes for more than it is: to those of Windows a backslash parts folders, so
 * that `..\\x` leads out, and a letter with a colon is a drive. Both are percent-encoded.
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

/** A member whose bytes have all been written. */
interface Written {
  readonly size: number;
  readonly crc: number;
  /** The offset of its header. */
  readonly at: number;
}

/**
 * Makes the parts of one archive in order.
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
  #at = 0;
  #member: { readonly facts: ZipMember; readonly at: number } | undefined;
  #size = 0;
  #crc = 0;
  /** The members' records in the central directory. */
  readonly #records: Uint8Array[] = [];

  /** @returns the header of a member, which its bytes follow */
  begin(member: ZipMember): Uint8Array {
    const facts = { ...member, name: zipName(member.name) };
    const name = Buffer.from(facts.name);
    const large = facts.size >= no32;
    // The sizes here are zeros, also those of zip64, which says that the descriptor has 8 bytes for each.
    const extra = Buffer.concat([timeField(facts.modified), ...large ? [longs(0n, 0n)] : []]);
    const head = Buffer.alloc(30);
    head.write("PK\x03\x04", "latin1");
    head.writeUInt16LE(large ? zip64 : usual, 4);
    head.writeUInt16LE(flagsOf(facts), 6);
    head.writeUInt32LE(dosTime(facts.modified), 10);
    if (large) head.fill(0xff, 18, 26);
    head.writeUInt16LE(name.length, 26);
    head.writeUInt16LE(extra.length, 28);
    this.#member = { facts, at: this.#at };
    this.#size = this.#crc = 0;
    return this.#counted(Buffer.concat([head, name, extra]));
  }

  /** Counts and checksums the next bytes of the member. */
  add(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
    this.#size += bytes.length;
    this.#at += bytes.length;
  }

  /**
   * @returns the descriptor behind the bytes of the member
   * @throws {RangeError} for a member of more than 4 GiB that was announced with less
   */
  end(): Uint8Array {
    const { facts, at } = this.#member!;
    const written = { size: this.#size, crc: this.#crc, at };
    const large = facts.size >= no32;
    if (!large && written.size >= no32) throw new RangeError("a member is larger than announced");
    this.#records.push(recordOf(facts, written));
    if (facts.type === "dir") return new Uint8Array();
    const bytes = Buffer.alloc(large ? 24 : 16);
    bytes.write("PK\x07\x08", "latin1");
    bytes.writeUInt32LE(written.crc, 4);
    for (const i of [0, 1]) {
      if (large) bytes.writeBigUInt64LE(BigInt(written.size), 8 + 8 * i);
      else bytes.writeUInt32LE(written.size, 8 + 4 * i);
    }
    return this.#counted(bytes);
  }

  /** The end of the archive: its directory. */
  *finish(): Generator<Uint8Array, void, void> {
    const count = this.#records.length;
    const start = this.#at;
    for (const record of this.#records) yield this.#counted(record);
    const size = this.#at - start;
    if (count >= no16 || size >= no32 || start >= no32) yield zip64End(count, size, start);
    const end = Buffer.alloc(22);
    end.write("PK\x05\x06", "latin1");
    end.writeUInt16LE(Math.min(count, no16), 8);
    end.writeUInt16LE(Math.min(count, no16), 10);
    end.writeUInt32LE(Math.min(size, no32), 12);
    end.writeUInt32LE(Math.min(start, no32), 16);
    yield end;
  }

  #counted(bytes: Uint8Array): Uint8Array {
    this.#at += bytes.length;
    return bytes;
  }
}

/** A member's record in the central directory (section 4.3.12). */
function recordOf(member: ZipMember, { size, crc, at }: Written): Uint8Array {
  const { name: text, type, modified } = member;
  const name = Buffer.from(text);
  const long = [...size >= no32 ? [size, size] : [], ...at >= no32 ? [at] : []].map(BigInt);
  const extra = Buffer.concat([timeField(modified), ...long.length > 0 ? [longs(...long)] : []]);
  const head = Buffer.alloc(46);
  head.write("PK\x01\x02", "latin1");
  head.writeUInt16LE(unix | zip64, 4);
  head.writeUInt16LE(long.length > 0 ? zip64 : usual, 6);
  head.writeUInt16LE(flagsOf(member), 8);
  head.writeUInt32LE(dosTime(modified), 12);
  head.writeUInt32LE(crc, 16);
  head.writeUInt32LE(Math.min(size, no32), 20);
  head.writeUInt32LE(Math.min(size, no32), 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt16LE(extra.length, 30);
  const folder = type === "dir";
  head.writeUInt32LE((folder ? 0o040755 : 0o100644) * 0x10000 + (folder ? 0x10 : 0), 38);
  head.writeUInt32LE(Math.min(at, no32), 42);
  return Buffer.concat([head, name, extra]);
}

/** The end of the directory as zip64 has it, and where that is (sections 4.3.14 and 4.3.15). */
function zip64End(count: number, size: number, start: number): Uint8Array {
  const bytes = Buffer.alloc(56 + 20);
  bytes.write("PK\x06\x06", "latin1");
  bytes.writeBigUInt64LE(44n, 4); // bytes of this record that follow
  bytes.writeUInt16LE(unix | zip64, 12);
  bytes.writeUInt16LE(zip64, 14);
  for (const [i, value] of [count, count, size, start].entries()) {
    bytes.writeBigUInt64LE(BigInt(value), 24 + 8 * i);
  }
  bytes.write("PK\x06\x07", 56, "latin1");
  bytes.writeBigUInt64LE(BigInt(start + size), 64);
  bytes.writeUInt32LE(1, 72);
  return bytes;
}

/** The extra field of zip64 (section 4.5.3). */
function longs(...values: readonly bigint[]): Uint8Array {
  const bytes = Buffer.alloc(4 + 8 * values.length);
  bytes.writeUInt16LE(0x0001);
  bytes.writeUInt16LE(8 * values.length, 2);
  for (const [i, value] of values.entries()) bytes.writeBigUInt64LE(value, 4 + 8 * i);
  return bytes;
}

/** Info-ZIP's extra field with the time in UTC; nothing for one that its 32 bits don't hold. */
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

/** The date, and below it the time, in steps of 2 s, from 1980 to 2107 (section 4.4.6). */
function dosTime(modified: number): number {
  const time = new Date(modified);
  const year = time.getFullYear();
  if (!(year >= 1980)) return (1 << 5 | 1) << 16;
  if (year > 2107) return dosTime(new Date(2107, 11, 31, 23, 59, 58).getTime());
  const date = (year - 1980 << 9 | time.getMonth() + 1 << 5 | time.getDate()) * 0x10000;
  return date + (time.getHours() << 11 | time.getMinutes() << 5 | time.getSeconds() >> 1);
}
