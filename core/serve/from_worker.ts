/**
 * Checks the messages of a worker. A client may have taken control of the worker, so the supervisor trusts
 * no field: it accepts no path on disk, no unknown field and no text without a maximum length.
 */
import * as v from "valibot";
import { BargeError, type Kind, kinds } from "../error.ts";
import { bytes } from "../protocol/field.ts";
import { type ListedConnection, maxListedConnections } from "../watch/roster.ts";
import type { HookRequest } from "./hooks/hook_client.ts";
import type { RosterMessage } from "./roster_query.ts";
import { layers, type Span } from "./tracing/span.ts";
import { type Batch, maxBatchSpans } from "./tracing/batch.ts";
import { checkFacts, door, positiveId } from "./hooks/upload_facts.ts";

const text = (maxLength: number) => v.pipe(v.string(), v.maxLength(maxLength));

/** A `ListedConnection`. */
const connection = v.strictObject({
  account: v.nullable(text(64)),
  door,
  address: text(80),
  since: v.number(),
  verb: v.nullable(text(40)),
  path: v.nullable(text(300)),
  bytes: v.number(),
});

/** A `Span` (tracing/span.ts). */
const span = v.strictObject({
  trace: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  parent: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/))),
  layer: v.picklist(layers),
  name: text(300),
  start: v.pipe(v.number(), v.finite()),
  end: v.pipe(v.number(), v.finite()),
  failed: v.boolean(),
  attributes: v.record(
    v.picklist([
      "barge.door",
      "barge.verb",
      "barge.path",
      "barge.account",
      "barge.outcome",
      "barge.bytes",
      "client.address",
    ]),
    v.union([text(300), bytes]),
  ),
});

/** The fields of a `BargeError`. */
const failure = v.strictObject({
  kind: v.picklist(Object.keys(kinds) as Kind[]),
  message: text(10_000),
  op: v.optional(text(200)),
  path: v.optional(text(5000)),
});

const messages = v.variant("type", [
  v.strictObject({ type: v.literal("listening") }),
  v.strictObject({ type: v.literal("failed"), error: failure }),
  v.strictObject({ type: v.literal("stopped") }),
  v.strictObject({ type: v.literal("list-connections"), id: positiveId }),
  v.strictObject({
    type: v.literal("connections"),
    id: positiveId,
    connections: listOf(connection, maxListedConnections),
  }),
  v.strictObject({ type: v.literal("spans"), spans: listOf(span, maxBatchSpans), dropped: bytes }),
  v.strictObject({ type: v.literal("check"), id: positiveId, facts: checkFacts }),
  v.strictObject({ type: v.literal("cancel-check"), id: positiveId }),
  v.strictObject({ type: v.literal("events-written") }),
]);

/** A message from a worker to its supervisor. */
export type FromWorker =
  | HookRequest
  | RosterMessage
  | { readonly type: "spans" } & Batch
  | { readonly type: "listening" }
  | { readonly type: "failed"; readonly error: v.InferOutput<typeof failure> }
  | { readonly type: "stopped" };

/**
 * Checks a message.
 *
 * @throws {BargeError} `protocol`, with the name of the bad field
 *
 * @example
 * ```ts
 * import { readFromWorker } from "./from_worker.ts";
 * if (readFromWorker({ type: "listening" }).type !== "listening") throw new Error();
 * ```
 */
export function readFromWorker(message: unknown): FromWorker {
  const result = v.safeParse(messages, message, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue);
  // The issue's own message quotes the received value.
  const why = field === null ? "not a worker's message" : `bad field ${field}`;
  throw new BargeError("protocol", why, { op: "read message" });
}

/** Checks the length before the items: a forged list may be sparse and huge. */
function listOf<T extends v.GenericSchema<unknown, ListedConnection | Span>>(
  item: T,
  maxLength: number,
) {
  const isShort = (list: unknown) => Array.isArray(list) && list.length <= maxLength;
  return v.pipe(v.custom<unknown[]>(isShort), v.array(item));
}
