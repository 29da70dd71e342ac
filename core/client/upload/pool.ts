/**
 * Uploads files over several connections; the first one makes and removes folders. Files are sent only
 * after the folders that were requested before them are made. One caller at a time.
 */
import { type Lane, Lanes } from "../transfer/lanes.ts";
import type { Content } from "./send.ts";
import type { Uploader } from "./uploader.ts";

/** Uploads over one or several connections. */
export type Uploads = Pick<Uploader, keyof Uploader>;

export class UploadPool implements Uploads {
  readonly #lanes: Lanes<Uploader>;
  readonly #uploaders: readonly Uploader[];
  readonly #first: Uploader;
  /** Whether folders were requested whose answers may be due. */
  #makesFolders = false;
  /** Whether files were sent whose answers may be due. */
  #hasFiles = false;

  constructor(lanes: readonly Lane<Uploader>[]) {
    this.#lanes = new Lanes(lanes);
    this.#uploaders = lanes.map(({ transfer }) => transfer);
    this.#first = lanes[0].transfer;
  }

  async file(local: string, path: string, hint?: string): Promise<void> {
    if (this.#makesFolders) await this.drained();
    this.#hasFiles = true;
    await this.#lanes.start((uploader) => uploader.file(local, path, hint));
  }

  async stream(input: Content, path: string, hint?: string): Promise<void> {
    await this.#lanes.settled();
    await this.#first.stream(input, path, hint);
  }

  async folder(path: string, local: string, hint?: string): Promise<void> {
    await this.#lanes.settled();
    this.#makesFolders = true;
    await this.#first.folder(path, local, hint);
  }

  async folderTime(path: string, time: number): Promise<void> {
    if (this.#hasFiles) await this.drained();
    await this.#first.folderTime(path, time);
  }

  async remove(path: string, local: string, recursive: boolean): Promise<void> {
    if (this.#hasFiles) await this.drained();
    await this.#first.remove(path, local, recursive);
  }

  async clear(path: string, local: string, recursive: boolean): Promise<void> {
    await this.drained();
    await this.#first.clear(path, local, recursive);
  }

  async drained(): Promise<void> {
    await this.#lanes.each((uploader) => uploader.drained());
    this.#makesFolders = false;
    this.#hasFiles = false;
  }

  [Symbol.dispose](): void {
    for (const uploader of this.#uploaders) uploader[Symbol.dispose]();
  }
}
