/** Spans, as workers send them to the supervisor, and the W3C Trace Context that they continue. */
import { randomBytes } from "node:crypto";

/** The layers of a request, each an instrumentation scope. */
export const layers = ["door", "session", "storage"] as const;
export type Layer = typeof layers[number];

/** A part of a request that has ended. Plain data. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly trace: string;
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** The id of the span around it; null for the first one of a trace. */
  readonly parent: string | null;
  readonly layer: Layer;
  readonly name: string;
  /** Milliseconds since 1970, with their fraction. */
  readonly start: number;
  readonly end: number;
  /** True if the server failed; a refused request is no failure. */
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
}

/** Which requests are traced (OpenTelemetry's samplers). */
export interface Sampling {
  /** Whether the decision of a client that sends a traceparent holds. */
  readonly parentBased: boolean;
  /** The share of the other requests, 0 to 1. */
  readonly ratio: number;
}

/** The span of a client, which a request continues. */
export interface RemoteParent {
  readonly trace: string;
  readonly id: string;
  /** Whether the client traces the request. */
  readonly sampled: boolean;
}

/**
 * Parses the field `traceparent` (W3C Trace Context, section 3.2).
 *
 * @returns undefined for a malformed one, which is ignored
 *
 * @example
 * ```ts
 * import { parseTraceparent } from "./span.ts";
 * const parent = parseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
 * if (parent?.id !== "b7ad6b7169203331" || !parent.sampled) throw new Error();
 * if (parseTraceparent("00-00000000000000000000000000000000-b7ad6b7169203331-01")) throw new Error();
 * ```
 */
export function parseTraceparent(text: string | undefined): RemoteParent | undefined {
  const [, version, trace, id, flags, rest] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text ?? "") ?? [];
  if (version === undefined || version === "ff" || version === "00" && rest) return undefined;
  if (/^0+$/.test(trace) || /^0+$/.test(id)) return undefined;
  return { trace, id, sampled: (parseInt(flags, 16) & 1) === 1 };
}

/** Returns the id of a new trace. */
export function newTraceId(): string {
  return randomBytes(16).toString("hex");
}

/** Returns the id of a new span. */
export function newSpanId(): string {
  return randomBytes(8).toString("hex");
}
