/** Downloads remote files and folders. */
import { BargeError } from "../error.ts";
import type { Client } from "./client.ts";
import { Downloader } from "./download/downloader.ts";
import { downloadFile } from "./download/file.ts";
import type { Downloads } from "./download/pool.ts";
import { findDownload, type GetOptions } from "./download/source.ts";
import { TreeDownload } from "./download/tree.ts";
import { checkTogether } from "./transfer/check.ts";
import { Report, type Totals } from "./transfer/events.ts";
import { runTransfer } from "./transfer/run.ts";

export type { GetOptions };

/**
 * Downloads sources to a target. A target that is a folder, ends in `/`, or is shared by several sources
 * is a folder to download into; any other target is the file's own name. A folder comes with its name,
 * or, if the source ends in `/`, as its contents.
 *
 * @param sources remote paths
 * @param target a local path; `-` is standard output
 * @returns the totals; `onEvent` reports the result of each file
 * @throws {BargeError} `usage` for sources or options that exclude each other; `interrupted`. Any
 *   other failure belongs to one file, and the other files are transferred
 */
export async function get(
  client: Client,
  sources: readonly string[],
  target = ".",
  options: GetOptions = {},
): Promise<Totals> {
  checkTogether("get", sources, target, options);
  if (options.requireDigest && options.verify === false) {
    const why = "--require-digest and --no-verify exclude each other";
    throw new BargeError("usage", why, { op: "get" });
  }
  const report = new Report(options.onEvent);
  const downloader = await downloads(client, report, options);
  const download = { client, report, downloader, options };
  return await runTransfer("get", client, report, sources, options, {
    find: (source) => findDownload(client, source, target, sources.length > 1, options),
    transfer: async (source) => {
      if (source.type === "tree") await new TreeDownload(download, source).run();
      else await downloadFile(download, source, source.items[0]);
    },
    finish: () => downloader.drained(),
  });
}

/** Returns what downloads over all connections of a transfer. */
async function downloads(
  client: Client,
  report: Report,
  options: GetOptions,
): Promise<Downloads> {
  const { others = [], verify, requireDigest } = options;
  const lanes = [client, ...others].map((client) => (
    { client, transfer: new Downloader(client, report, verify, requireDigest) }
  ));
  if (others.length === 0) return lanes[0].transfer;
  const { DownloadPool } = await import("./download/pool.ts");
  return new DownloadPool(lanes);
}
