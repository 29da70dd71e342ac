/** Checks the free bytes and inodes of the data directory's file system. */
import { statfsSync } from "node:fs";
import { formatSize } from "../size.ts";
import type { Verdict } from "./finding.ts";
import type { LocalSetup } from "./setup.ts";

/** The free shares of a file system below which it is a warning, and a fault. */
const warnShare = 0.05;
const badShare = 0.01;
/** Free bytes that are enough on any file system. */
const enoughBytes = 100e9;

/** Returns a verdict on the free bytes. */
export function checkDiskBytes({ data }: LocalSetup): Verdict[] {
  const { bavail, blocks, bsize } = statfsSync(data);
  return [judgeBytes(bavail * bsize, blocks * bsize, data)];
}

/** Returns a verdict on the free inodes; none where their number is not fixed. */
export function checkInodes({ data }: LocalSetup): Verdict[] {
  const { ffree, files } = statfsSync(data);
  // Btrfs and some others have no fixed number of inodes.
  return files > 0 ? [judgeInodes(ffree, files, data)] : [];
}

/** Judges the free bytes of a file system. @param free available to users, as `total` in bytes */
export function judgeBytes(free: number, total: number, path: string): Verdict {
  const message = `${formatSize(free)} of the disk's ${formatSize(total)} are free.`;
  const severity = free >= enoughBytes ? "ok" : severityOf(free / total);
  if (severity === "ok") return { severity, message, path };
  const advice =
    "Remove files, lower quotas (`barge quota list` shows the used bytes), or use a larger disk.";
  return { severity, message, advice, path };
}

/** Judges the free inodes of a file system. */
export function judgeInodes(free: number, total: number, path: string): Verdict {
  const message = `${free} of the file system's ${total} inodes are free.`;
  const severity = severityOf(free / total);
  if (severity === "ok") return { severity, message, path };
  const advice =
    "Remove small files, or make the file system anew with more inodes (mkfs.ext4 -N).";
  return { severity, message, advice, path };
}

function severityOf(share: number): Verdict["severity"] {
  return share < badShare ? "bad" : share < warnShare ? "warn" : "ok";
}
