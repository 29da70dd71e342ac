/**
 * Requests the first small files of a tree while its listing arrives, which saves a round trip: the server sends them
 * right behind the listing. The download later makes the same requests, and takes their answers.
 */
import type { Client } from "../client.ts";
import { type Filter, leavesOut } from "../filter/filter.ts";
import { join } from "../path.ts";
import type { Item } from "../transfer/plan.ts";
import { Batches, batchRequest, maxSmallBytes, type RemoteFile, sumBytes } from "./batches.ts";
import { maxPendingBytes, maxPendingFiles } from "./downloader.ts";

export class BatchesAhead {
  readonly #client: Client;
  readonly #path: string;
  readonly #filter: Filter;
  readonly #batches: Batches<RemoteFile>;
  readonly #maxFileBytes: number;
  #files = 0;
  #bytes = 0;
  #ended = false;

  /**
   * @param path the remote path of the tree
   * @param filter chooses the files that will be downloaded
   */
  constructor(client: Client, path: string, filter: Filter) {
    const limits = client.hello.many ?? { files: 0, bytes: -1 };
    this.#client = client;
    this.#path = path;
    this.#filter = filter;
    this.#batches = new Batches(limits);
    this.#maxFileBytes = maxSmallBytes(limits);
  }

  /** Takes the next item of the listing. */
  add(item: Item): void {
    const { name, type, size } = item;
    if (this.#ended || type === "dir" || leavesOut(this.#filter, item)) return;
    if (size > this.#maxFileBytes) {
      this.#ended = true; // the download sends an incomplete batch before such a file
      return;
    }
    const complete = this.#batches.add({ path: join(this.#path, name), size });
    for (const batch of complete) this.#request(batch);
  }

  #request(files: readonly RemoteFile[]): void {
    this.#files += files.length;
    this.#bytes += sumBytes(files);
    if (this.#files > maxPendingFiles || this.#bytes > maxPendingBytes) this.#ended = true;
    if (this.#ended) return;
    this.#client.askAhead(batchRequest(files));
    this.#client.flush().catch(() => {/* the answers fail as well */});
  }
}
