/** OTLP over HTTP with JSON: the body of POST /v1/traces (OpenTelemetry Protocol 1.5, "JSON Protobuf Encoding"). */
import { layers, type Span } from "./span.ts";

type Attributes = Readonly<Record<string, string | number>>;

const [internal, server] = [1, 2]; // SpanKind
const failed = 2; // StatusCode

/**
 * Encodes spans.
 *
 * @param resource the attributes of the server: `service.name` ...
 *
 * @example
 * ```ts
 * import { encodeSpans } from "./otlp.ts";
 * const ids = { trace: "0af7651916cd43dd8448eb211c80319c", id: "b7ad6b7169203331", parent: null };
 * const span = { ...ids, layer: "door", name: "http GET", start: 1, end: 2.5, failed: false, attributes: {} } as const;
 * const { resourceSpans: [{ scopeSpans: [{ spans }] }] } = JSON.parse(encodeSpans([span], {}));
 * if (spans[0].endTimeUnixNano !== "2500000") throw new Error();
 * ```
 */
export function encodeSpans(spans: readonly Span[], resource: Attributes): string {
  const scopeSpans = layers.flatMap((layer) => {
    const own = spans.filter((span) => span.layer === layer);
    return own.length === 0 ? [] : [{ scope: { name: `barge.${layer}` }, spans: own.map(encode) }];
  });
  return JSON.stringify({
    resourceSpans: [{ resource: { attributes: encodeAttributes(resource) }, scopeSpans }],
  });
}

function encode(span: Span) {
  return {
    traceId: span.trace,
    spanId: span.id,
    ...span.parent !== null && { parentSpanId: span.parent },
    name: span.name,
    kind: span.layer === "door" ? server : internal,
    startTimeUnixNano: nanoseconds(span.start),
    endTimeUnixNano: nanoseconds(span.end),
    attributes: encodeAttributes(span.attributes),
    ...span.failed && { status: { code: failed } },
  };
}

function encodeAttributes(attributes: Attributes) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === "string" ? { stringValue: value } : { intValue: String(value) },
  }));
}

/** @param ms milliseconds since 1970, which have a precision of microseconds */
function nanoseconds(ms: number): string {
  return `${BigInt(Math.round(ms * 1000)) * 1000n}`;
}
