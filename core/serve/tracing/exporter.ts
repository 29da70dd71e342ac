/**
 * The supervisor's exporter of spans. One request to the collector is under way at a time; the spans that come
 * meanwhile wait in a queue of `maxQueuedSpans`, and further ones are dropped and counted. A batch that the
 * collector cannot take now is sent again, after a delay that doubles.
 *
 * The runtime's own exporter (OTEL_DENO) is not used: it traces only HTTP, exports the log as well, and reports no
 * dropped spans.
 */
import { getLogger } from "@logtape/logtape";
import { typed } from "../../error.ts";
import { delay } from "../../net/delay.ts";
import { type OutboundAnswer, sendRequest } from "../../outbound/request.ts";
import { backoff, isBusy, retryAfterMs } from "../../outbound/retry.ts";
import { type Batch, maxBatchSpans } from "./batch.ts";
import { encodeSpans } from "./otlp.ts";
import type { TraceOptions } from "./settings.ts";
import type { Span } from "./span.ts";

const log = getLogger(["barge", "serve"]);
const maxQueuedSpans = 8192;
const defaultBatchDelayMs = 1_000;
const maxRetryDelayMs = 30_000;
/** A failing collector is logged at most once in this time. */
const logIntervalMs = 60_000;
/** The time in which the last spans must be sent when the server stops. */
const lastSendMs = 2_000;

/** The numbers of spans that the collector has taken, and that were dropped. */
export interface SpanCounts {
  readonly exported: number;
  readonly dropped: number;
}

export class SpanExporter {
  readonly #options: TraceOptions;
  readonly #onCount: (counts: SpanCounts) => void;
  readonly #batchDelayMs: number;
  readonly #queue: Span[] = [];
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  #exported = 0;
  #dropped = 0;
  #logged = -Infinity;

  /**
   * @param onCount gets the numbers at the start and after each change
   * @param batchDelayMs how long spans wait for others
   */
  constructor(
    options: TraceOptions,
    onCount: (counts: SpanCounts) => void,
    batchDelayMs = defaultBatchDelayMs,
  ) {
    this.#options = options;
    this.#onCount = onCount;
    this.#batchDelayMs = batchDelayMs;
    this.#count(0, 0);
  }

  /** Takes the spans of a worker. Never throws. */
  add({ spans, dropped }: Batch): void {
    const room = maxQueuedSpans - this.#queue.length;
    this.#queue.push(...spans.slice(0, room));
    this.#count(0, dropped + Math.max(0, spans.length - room));
    if (!this.#stopped.signal.aborted) {
      this.#running ??= this.#run().finally(() => this.#running = undefined);
    }
  }

  /** Sends the queued spans once more, within {@link lastSendMs}, and drops the others. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    const signal = AbortSignal.timeout(lastSendMs);
    while (this.#queue.length > 0 && !signal.aborted) {
      if (await this.#send(this.#take(), signal) !== "taken") break;
    }
    this.#count(0, this.#queue.splice(0).length);
  }

  /** Sends the queue until it is empty. Never throws. */
  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (this.#queue.length > 0 && !signal.aborted) {
      if (this.#queue.length < maxBatchSpans) await wait(this.#batchDelayMs, signal);
      if (signal.aborted) return;
      const batch = this.#take();
      for (let failures = 1;; failures++) {
        const answer = await this.#send(batch, signal);
        if (answer === "taken") break;
        if (signal.aborted) {
          this.#queue.unshift(...batch);
          return;
        }
        const delayMs = Math.max(answer.askedMs, backoff(failures, maxRetryDelayMs));
        await wait(Math.min(delayMs, maxRetryDelayMs), signal);
      }
    }
  }

  #take(): Span[] {
    return this.#queue.splice(0, maxBatchSpans);
  }

  /** @returns `taken` also for a batch that the collector refuses for good */
  async #send(
    batch: readonly Span[],
    signal: AbortSignal,
  ): Promise<"taken" | { readonly askedMs: number }> {
    const { url, headers, resource, timeoutMs } = this.#options;
    let answer: OutboundAnswer;
    try {
      answer = await sendRequest({
        url,
        method: "POST",
        timeoutMs,
        signal,
        headers: { ...headers, "content-type": "application/json" },
        body: encodeSpans(batch, resource),
      });
    } catch (error) {
      if (!signal.aborted) this.#warn(typed(error).message);
      return { askedMs: 0 };
    }
    const { status } = answer;
    if (status >= 200 && status < 300) {
      const rejected = Math.min(rejectedSpans(answer), batch.length);
      this.#count(batch.length - rejected, rejected);
      return "taken";
    }
    this.#warn(`it answered ${status}`);
    // The busy statuses are the "Retryable Response Codes" of OTLP.
    if (isBusy(status)) return { askedMs: retryAfterMs(answer.headers) ?? 0 };
    this.#count(0, batch.length);
    return "taken";
  }

  #count(exported: number, dropped: number): void {
    this.#exported += exported;
    this.#dropped += dropped;
    this.#onCount({ exported: this.#exported, dropped: this.#dropped });
  }

  #warn(why: string): void {
    if (performance.now() - this.#logged < logIntervalMs) return;
    this.#logged = performance.now();
    // The user, the path and the query of the URL may be secrets.
    const url = new URL(this.#options.url).origin;
    log.warn("the collector of traces does not take them: {why}", { why, url });
  }
}

/** Returns the number of spans that an answer of success names as rejected. */
function rejectedSpans({ body }: OutboundAnswer): number {
  try {
    const { partialSuccess } = JSON.parse(new TextDecoder().decode(body));
    return Math.max(0, Number(partialSuccess?.rejectedSpans ?? 0)) || 0;
  } catch {
    return 0; // a collector need not answer with JSON
  }
}

/** Waits, at most until the signal is aborted. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, signal).catch(() => {/* the exporter stops */});
}
