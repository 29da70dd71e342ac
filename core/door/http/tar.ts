/**
 * The tar format of POSIX.1-2001 (pax): a 512-byte header before each file. An extended header in UTF-8
 * precedes it if the name is long or not ASCII, or the file large.
 */

import { Buffer } from "node:buffer";
import type { ArchiveMember } from "./zip.ts";

const blockBytes = 512;
/** The largest number of eleven octal digits. */
const maxOctal = 8 ** 11 - 1;
const encoder = new TextEncoder();

/** The end of an archive: two blocks of zeros. */
export const tarEnd = new Uint8Array(2 * blockBytes);

/**
 * Returns the headers that precede a file's bytes.
 *
 * @example
 * ```ts
 * import { tarHeader } from "./tar.ts";
 * const plain = { name: "a", type: "file", size: 5, modified: 0 } as const;
 * if (tarHeader(plain).length !== 512) throw new Error();
 * if (tarHeader({ ...plain, name: "ä" }).length !== 3 * 512) throw new Error();
 * ```
 */
export function tarHeader(member: ArchiveMember): Uint8Array {
  const { name, size, modified } = member;
  const plain = /^[ -~]{1,100}$/.test(name);
  const facts: Record<string, string> = {};
  if (!plain) facts.path = name;
  if (size > maxOctal) facts.size = String(size);
  const plainTime = modified >= 0 && modified / 1000 <= maxOctal;
  if (modified % 1000 !== 0 || !plainTime) facts.mtime = String(modified / 1000);
  const short = plain ? name : name.replace(/[^ -~]/g, "_").slice(-100);
  const type = member.type === "dir" ? "5" : "0";
  const mode = member.type === "dir" ? "0000755" : "0000644";
  const header = ustar(short, type, mode, Math.min(size, maxOctal), modified);
  // Without another reason for an extended header, a time in whole seconds is enough.
  if (plain && plainTime && facts.size === undefined) return header;
  const records = encoder.encode(Object.entries(facts).map(record).join(""));
  const extended = ustar("pax", "x", "0000644", records.length, modified);
  return Buffer.concat([extended, records, tarPadding(records.length), header]);
}

/** Returns the padding that follows a file's bytes, up to a whole block. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((blockBytes - size % blockBytes) % blockBytes);
}

function ustar(name: string, type: string, mode: string, size: number, modified: number) {
  const bytes = new Uint8Array(blockBytes);
  const put = (at: number, text: string) => encoder.encodeInto(text, bytes.subarray(at));
  const octal = (n: number) => n.toString(8).padStart(11, "0");
  put(0, name);
  put(100, mode);
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(size));
  put(136, octal(Math.min(Math.max(0, Math.floor(modified / 1000)), maxOctal)));
  put(148, "        "); // the checksum counts itself as spaces
  put(156, type);
  put(257, "ustar\x0000");
  const sum = bytes.reduce((a, b) => a + b, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return bytes;
}

/** Formats `LENGTH KEY=VALUE\n`; the length includes its own digits. */
function record([key, value]: [string, string]): string {
  const rest = ` ${key}=${value}\n`;
  const bare = encoder.encode(rest).length;
  let length = bare + String(bare).length;
  if (String(length).length > String(bare).length) length++;
  return `${length}${rest}`;
}
