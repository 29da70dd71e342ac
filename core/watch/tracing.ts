/**
 * The hook through which a worker traces its requests (core/serve/tracing/). Without a tracer, which is the
 * default, a request costs one comparison.
 */
import type { Outcome } from "./metrics.ts";

/** A request as its span begins. */
export interface TracedRequest {
  /** True if its parts are requests of their own, whose spans are then its children. */
  readonly split: boolean;
}

/** The facts of a request that are known at its end. */
export interface RequestFacts {
  readonly door: string;
  readonly verb: string | null;
  readonly path: string | null;
  readonly account: string | null;
  /** HOST:PORT of the other end. */
  readonly address: string;
  readonly bytes: number;
  readonly outcome: Outcome;
}

export interface RequestTracer {
  /**
   * Begins the span of a request, as the current span of the calling asynchronous function.
   *
   * @param traceparent the client's span (W3C Trace Context), if it sends one
   * @returns ends the span; undefined for a request that is not traced
   */
  begin(request: TracedRequest, traceparent?: string): ((facts: RequestFacts) => void) | undefined;
}

let tracer: RequestTracer | undefined;

/** Traces all later requests of this isolate. */
export function traceRequests(by: RequestTracer): void {
  tracer = by;
}

/** As {@link RequestTracer.begin}; undefined where nothing is traced. */
export function beginSpan(
  request: TracedRequest,
  traceparent?: string,
): ((facts: RequestFacts) => void) | undefined {
  return tracer?.begin(request, traceparent);
}
