/** Downloads files over several connections. One caller at a time. */
import { type Lane, Lanes } from "../transfer/lanes.ts";
import type { Item } from "../transfer/plan.ts";
import type { Downloader, Output } from "./downloader.ts";

/** Downloads over one or several connections. */
export type Downloads = Pick<Downloader, keyof Downloader>;

export class DownloadPool implements Downloads {
  readonly #lanes: Lanes<Downloader>;
  readonly #first: Downloader;

  constructor(lanes: readonly Lane<Downloader>[]) {
    this.#lanes = new Lanes(lanes);
    this.#first = lanes[0].transfer;
  }

  async file(path: string, local: string, item: Item): Promise<void> {
    await this.#lanes.start((downloader) => downloader.file(path, local, item));
  }

  lacks(local: string): boolean {
    return this.#first.lacks(local);
  }

  async stream(path: string, output: Output, local?: string): Promise<void> {
    await this.#lanes.settled();
    await this.#first.stream(path, output, local);
  }

  async drained(): Promise<void> {
    await this.#lanes.each((downloader) => downloader.drained());
  }
}
