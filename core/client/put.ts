/** Uploads local files and folders. */
import type { Client } from "./client.ts";
import { checkTogether } from "./transfer/check.ts";
import { Report, type Totals } from "./transfer/events.ts";
import { runTransfer } from "./transfer/run.ts";
import { uploadFile, uploadStream } from "./upload/file.ts";
import { findUpload, type PutOptions } from "./upload/source.ts";
import type { Uploads } from "./upload/pool.ts";
import { TreeUpload } from "./upload/tree.ts";
import { Uploader } from "./upload/uploader.ts";

export type { PutOptions };

/**
 * Uploads sources to a target. A target that ends in `/`, or that several sources share, is a folder
 * to upload into; any other target is the file's own name. A folder is sent with its name, or, if the
 * source ends in `/`, as its contents.
 *
 * @param sources local paths; `-` is standard input
 * @param target a remote path
 * @returns the totals; `onEvent` reports the result of each file
 * @throws {BargeError} `usage` for sources or options that exclude each other; `interrupted`. Any
 *   other failure belongs to one file, and the other files are transferred
 */
export async function put(
  client: Client,
  sources: readonly string[],
  target: string,
  options: PutOptions = {},
): Promise<Totals> {
  checkTogether("put", sources, target, options);
  const report = new Report(options.onEvent);
  using uploader = await uploads(client, report, options);
  const upload = { client, report, uploader, options };
  const inside = target.endsWith("/") || sources.length > 1;
  const hint = inside ? undefined : `write ${target}/ to put it inside`;
  return await runTransfer("put", client, report, sources, options, {
    find: (source) => findUpload(client, source, target, inside, options),
    transfer: async (source) => {
      if (source.type === "tree") await new TreeUpload(upload, source).run();
      else if (source.type === "stream") await uploadStream(upload, source.path, hint);
      else await uploadFile(upload, source, source.items[0], source.existing.get(""), hint);
    },
    finish: () => uploader.drained(),
  });
}

/** Returns what uploads over all connections of a transfer. */
async function uploads(client: Client, report: Report, options: PutOptions): Promise<Uploads> {
  const { others = [] } = options;
  const lanes = [client, ...others].map((client) => (
    { client, transfer: new Uploader(client, report, options) }
  ));
  if (others.length === 0) return lanes[0].transfer;
  const { UploadPool } = await import("./upload/pool.ts");
  return new UploadPool(lanes);
}
