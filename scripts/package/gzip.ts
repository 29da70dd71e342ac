import { gzipSync } from "node:zlib";

/** Returns a gzipped text, as `gzip -9n` makes it: without a name and a time, for any system. */
export function gzipped(text: string): Uint8Array {
  const bytes = gzipSync(text, { level: 9 });
  bytes[9] = 3; // the system of RFC 1952, 2.3.1: Unix, also where zlib writes another one
  return bytes;
}
