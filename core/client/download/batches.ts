/** Divides small files into batches, each of which one request fetches. */
import { maxFrame } from "../../protocol/frame.ts";
import type { RequestInput } from "../../protocol/message.ts";
import { batchBytes, maxCharBytes } from "../transfer/window.ts";

/** A file to fetch. */
export interface RemoteFile {
  readonly path: string;
  /** The listed size, in bytes. */
  readonly size: number;
}

/** The most files and bytes of a batch, as the server's `hello` has them. */
export interface BatchLimits {
  readonly files: number;
  readonly bytes: number;
}

export class Batches<F extends RemoteFile> {
  readonly #limits: BatchLimits;
  #files: F[] = [];
  #bytes = 0;
  #frameBytes = maxCharBytes;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /** Adds a file of at most {@link maxSmallBytes} bytes. @returns the batches that are complete now, in order */
  add(file: F): F[][] {
    const { files, bytes } = this.#limits;
    const complete: F[][] = [];
    const frameBytes = (file.path.length + 1) * maxCharBytes;
    const fits = this.#files.length < files && this.#bytes + file.size <= bytes &&
      this.#frameBytes + frameBytes <= maxFrame;
    if (!fits) complete.push(this.take());
    this.#files.push(file);
    this.#bytes += file.size;
    this.#frameBytes += frameBytes;
    if (this.#bytes >= batchBytes) complete.push(this.take());
    return complete;
  }

  /** Returns the files of the incomplete batch, and begins another one. */
  take(): F[] {
    const files = this.#files;
    this.#files = [];
    this.#bytes = 0;
    this.#frameBytes = maxCharBytes;
    return files;
  }
}

/** Returns the most bytes of a file in a batch. */
export function maxSmallBytes({ bytes }: BatchLimits): number {
  return Math.min(batchBytes, bytes);
}

/** Returns the request for the files of a batch. */
export function batchRequest(files: readonly RemoteFile[]): RequestInput<"get-many"> {
  return { verb: "get-many", paths: files.map(({ path }) => path) };
}

/** Returns the sum of the sizes of files. */
export function sumBytes(files: readonly RemoteFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
