/** Uploads one file, or skips it if the target has the same content. */
import { typed } from "../../error.ts";
import type { Client } from "../client.ts";
import { join } from "../path.ts";
import type { Report } from "../transfer/events.ts";
import { existsAlready, withResumeHint } from "../transfer/failure.ts";
import type { Item } from "../transfer/plan.ts";
import { sharedDigest } from "../transfer/shared_digest.ts";
import { checkTarget, type PutOptions, type UploadSource } from "./source.ts";
import type { Uploads } from "./pool.ts";

export interface Upload {
  readonly client: Client;
  readonly report: Report;
  readonly uploader: Uploads;
  readonly options: PutOptions;
}

/**
 * @param existing the file at the target, if it is known
 * @param hint the hint if the target is a folder
 * @returns false if the file is skipped
 */
export async function uploadFile(
  { client, report, uploader, options }: Upload,
  source: UploadSource,
  { name, size }: Item,
  existing: Item | undefined,
  hint: string | undefined,
): Promise<boolean> {
  const local = join(source.local, name);
  const path = join(source.path, name);
  const action = source.actions.get(name);
  const facts = { path, local, size };
  if (options.noClobber && options.unanswered?.has(path)) {
    const sha256 = await sharedDigest(client, local, path, existing?.sha256);
    if (sha256 !== undefined) {
      report.done({ ...facts, status: "sent", sha256 });
      return true;
    }
  }
  const same = action === "skip" || action === "compare" &&
      await sharedDigest(client, local, path, existing?.sha256) !== undefined;
  if (same) {
    report.done({ ...facts, status: "skipped", sha256: existing?.sha256 ?? null });
  } else if (!options.dryRun) {
    await uploader.file(local, path, hint);
  } else if (options.noClobber && existing) {
    report.failed(path, local, existsAlready(path));
  } else {
    report.bytes(size);
    report.done({ ...facts, status: "sent" });
  }
  return !same;
}

/** Uploads standard input. */
export async function uploadStream(
  { client, report, uploader, options }: Upload,
  path: string,
  hint: string | undefined,
): Promise<void> {
  const input = options.input ?? { read: (into: Uint8Array) => Deno.stdin.read(into) };
  if (!options.dryRun) return await uploader.stream(input, path, hint);
  try {
    await checkTarget(client, path, options);
    report.done({ path, local: "-", size: 0, status: "sent" });
  } catch (cause) {
    report.failed(path, "-", withResumeHint(typed(cause, { op: "put", path })));
  }
}
