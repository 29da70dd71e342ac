/**
 * Checks everything in shared storage: `barge verify`. It runs beside nodes at work, and on several nodes at
 * the same time.
 *
 *   files      the facts of each file, against those of its content (files.ts)
 *   contents   the bytes of files and of partial uploads (contents.ts)
 *   objects    rows that no piece refers to; objects of the bucket without a row (objects.ts)
 *   sums       the bytes and entries charged to each account, against its files and uploads (sums.ts)
 *
 * Nothing is locked while it is read, so writers never wait. A change under way must not be reported as a
 * difference. So each of these source files either reads everything at one moment, or looks a difference up
 * again in an order that rules out a change; its header explains how. Tables and the bucket are read in pages,
 * so that memory does not grow with their size.
 */
import type { Parts } from "../bucket/parts.ts";
import { verifyContents } from "./contents.ts";
import { verifyFiles } from "./files.ts";
import { verifyObjects } from "./objects.ts";
import { type SharedVerified, type SharedVerifyOptions, VerifyRun } from "./run.ts";
import { verifySums } from "./sums.ts";

/**
 * Checks all that is stored, and repairs what it may.
 *
 * @throws {BargeError} `unavailable` where the database or the store does not answer; the signal's reason
 */
export async function verifyShared(
  parts: Parts,
  options: SharedVerifyOptions,
): Promise<SharedVerified> {
  const run = new VerifyRun(parts, options);
  if (options.after === undefined) await verifyFiles(run);
  await verifyContents(run);
  await verifyObjects(run);
  await verifySums(run);
  return run.counts;
}
