/** Downloads one file, or skips it if the local file has the same content. */
import { typed } from "../../error.ts";
import type { Client } from "../client.ts";
import { join } from "../path.ts";
import type { Report } from "../transfer/events.ts";
import { existsAlready } from "../transfer/failure.ts";
import type { Item } from "../transfer/plan.ts";
import { sharedDigest } from "../transfer/shared_digest.ts";
import { noStoredDigest } from "./downloader.ts";
import { isStandardOutput, lstat, openStream } from "./local_target.ts";
import type { Downloads } from "./pool.ts";
import type { DownloadSource, GetOptions } from "./source.ts";

export interface Download {
  readonly client: Client;
  readonly report: Report;
  readonly downloader: Downloads;
  readonly options: GetOptions;
}

export async function downloadFile(
  download: Download,
  source: DownloadSource,
  item: Item,
): Promise<void> {
  const { client, report, downloader, options } = download;
  const { name, size, sha256 = null } = item;
  const local = join(source.local, name);
  const path = join(source.path, name);
  const action = source.actions.get(name);
  const same = action === "skip" ||
    action === "compare" && await sharedDigest(client, local, path, sha256) !== undefined;
  const result = { path, local, size, sha256, verified: null };
  if (same) {
    report.done({ ...result, status: "skipped" });
  } else if (options.noClobber && source.type !== "stream" && lstat(local)) {
    report.failed(path, local, existsAlready(local));
  } else if (options.requireDigest && sha256 === null) {
    report.failed(path, local, noStoredDigest().with({ op: "get", path }), size);
  } else if (options.dryRun) {
    report.bytes(size);
    report.done({ ...result, status: "sent" });
  } else if (source.type === "stream") {
    await downloadStream(download, path, local);
  } else {
    await downloader.file(path, local, item);
  }
}

/** Downloads a file to standard output, a FIFO or a device, which is written without a temporary file. */
async function downloadStream(
  { client, report, downloader, options }: Download,
  path: string,
  local: string,
): Promise<void> {
  if (isStandardOutput(local)) {
    return await downloader.stream(path, options.output ?? Deno.stdout, local);
  }
  try {
    using file = await openStream(local, client);
    await downloader.stream(path, file, local);
  } catch (cause) {
    report.failed(path, local, typed(cause));
  }
}
