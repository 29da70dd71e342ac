/**
 * Tracks how many bytes of an upload are whole: bytes from its start that can be resumed if the worker
 * dies. An upload may begin with bytes that are copied from the file that it replaces.
 *
 *   appended only             all staged bytes are whole: nothing is recorded
 *   written behind a gap      the bytes before the first gap are recorded, before that write
 *   written over copied bytes no byte is whole from then on: the staged bytes mix the old file and the new
 *   gap filled                all staged bytes are whole again: recorded with the next renewal of the lease
 *
 * Invariant: the recorded number is never larger than that of the whole bytes, whenever the worker dies
 * or the power fails.
 */
import type { StagedBody } from "../storage/uploads.ts";

type Extent = Pick<StagedBody, "size" | "length">;

export class WholeRecord {
  /** The end of the whole bytes once the waiting writes are done. */
  #end: number;
  /** Bytes at the start that were copied from the file that will be replaced. */
  #copied = 0;
  /** See {@link inPlace}. */
  #inPlace = false;
  /** The whole bytes that storage has recorded; null: all that are staged. */
  #recorded: number | null = null;
  /** The number of writes behind a gap that wait or are under way. */
  #gaps = 0;

  /** @param size whole bytes that the upload begins with */
  constructor(size: number) {
    this.#end = size;
  }

  /** Whether copied bytes were written over: nothing of the upload can be resumed then. */
  get inPlace(): boolean {
    return this.#inPlace;
  }

  /** Records that all bytes so far are copied. */
  noteCopied(size: number): void {
    this.#copied = this.#end = size;
  }

  /** Records that an append begins. @param end the upload's length after it */
  beginAppend(end: number): void {
    this.#end = Math.max(this.#end, end);
  }

  /**
   * Records that a write begins.
   *
   * @returns whether it leaves a gap, and whether the whole bytes must be recorded before it
   */
  beginWrite(position: number, end: number): { gap: boolean; record: boolean } {
    this.#inPlace ||= position < this.#copied;
    const gap = position > this.#end;
    if (gap) this.#gaps++;
    else this.#end = Math.max(this.#end, end);
    const record = this.#inPlace ? this.#recorded !== 0 : gap && this.#recorded === null;
    return { gap, record };
  }

  /** Records that a write has ended. @param gap as {@link beginWrite} returned it */
  endWrite(gap: boolean): void {
    if (gap) this.#gaps--;
  }

  /** Records that a truncation begins. @returns whether the whole bytes must be recorded before it */
  truncate(length: number): boolean {
    const record = this.#recorded === null ? length > this.#end : length < this.#recorded;
    this.#end = Math.min(this.#end, length);
    this.#copied = Math.min(this.#copied, length);
    return record;
  }

  /** Returns the whole bytes to record before a change that leaves at most `limit` of them. */
  wholeBefore({ size }: Extent, limit: number): number {
    return this.#inPlace ? 0 : Math.min(size, limit);
  }

  /** Returns the whole bytes to record with a renewal of the lease; null for all; undefined for no record. */
  wholeNow({ size, length }: Extent): number | null | undefined {
    if (this.#recorded === null) return undefined;
    if (this.#inPlace) return 0;
    return this.#gaps === 0 && size === length ? null : size;
  }

  /** Notes that storage has recorded a number of whole bytes; null for all. */
  noteRecorded(whole: number | null, { size }: Extent): void {
    if (whole === null) this.#end = Math.max(this.#end, size);
    this.#recorded = whole;
  }
}
