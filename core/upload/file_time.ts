import { BargeError } from "../error.ts";

/**
 * The range of ext4 with inodes of 256 bytes, cut to whole days and years. The kernel silently
 * moves a time beyond it to the nearest limit, so the server refuses such a time.
 */
const earliest = Date.UTC(1901, 11, 14);
const latest = Date.UTC(2446, 0, 1);

/**
 * Checks a time that a client gives to a file.
 *
 * @param modified milliseconds since 1970; null for none
 * @throws {BargeError} `usage` for a time that no file can have
 */
export function checkFileTime(modified: number | null, path: string): void {
  if (modified === null || modified >= earliest && modified < latest) return;
  throw new BargeError("usage", "no file can have that time", {
    path,
    hint: "file systems keep times from 1901-12-14 to the end of 2445",
  });
}
