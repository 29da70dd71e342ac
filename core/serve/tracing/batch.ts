/** Batches of spans, from a worker to the supervisor. */
import type { Span } from "./span.ts";

/** The most spans of a batch. */
export const maxBatchSpans = 512;

/** Spans, and the number of those that were dropped since the last batch. */
export interface Batch {
  readonly spans: readonly Span[];
  readonly dropped: number;
}
