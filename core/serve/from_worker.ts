/**
 * Checks the messages of a worker. A worker talks to strangers, so the supervisor trusts none of its
 * fields: it accepts no path on disk, no unknown field and no text without a bound.
 */
import * as v from "valibot";
import { checkName } from "../local/account/accounts.ts";
import { BargeError, type Kind, kinds } from "../error.ts";
import { bytes, sha256 } from "../protocol/field.ts";
import { doorNames } from "../watch/metrics.ts";
import { maxListedConnections, type Present } from "../watch/roster.ts";
import { locate } from "../storage/path.ts";
import type { HookRequest } from "./hook_client.ts";
import type { RosterMessage } from "./roster_query.ts";

const text = (maxLength: number) => v.pipe(v.string(), v.maxLength(maxLength));
const passes = (check: (text: string) => unknown) => (text: string) => {
  try {
    check(text);
    return true;
  } catch {
    return false;
  }
};
const account = v.pipe(text(64), v.check(passes(checkName), "not an account's name"));
/** A path in /home or /public, whose bounds `locate` checks. */
const path = v.pipe(
  text(3000),
  v.check(passes((path) => locate(path, "a")), "not a user's path"),
);
/** RFC 3339, or JavaScript's format for years beyond 9999. */
const moment = v.pipe(text(40), v.regex(/^[-+.:TZ\d]+$/));
const door = v.picklist(doorNames);
const id = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const kind = v.picklist(Object.keys(kinds) as Kind[]);

const factsOf = <E extends "check" | "commit", U extends v.GenericSchema<unknown, number | null>>(
  event: E,
  upload: U,
) =>
  v.strictObject({
    event: v.literal(event),
    account,
    path,
    upload,
    size: bytes,
    sha256,
    modified: moment,
    verified: v.boolean(),
    door: v.nullable(door),
    replaced: v.boolean(),
    time: moment,
  });

const present = v.strictObject({
  account: v.nullable(text(64)),
  door,
  address: text(80),
  since: v.number(),
  verb: v.nullable(text(40)),
  path: v.nullable(text(300)),
  bytes: v.number(),
});

const messages = v.variant("type", [
  v.strictObject({ type: v.literal("listening") }),
  v.strictObject({
    type: v.literal("failed"),
    error: v.strictObject({
      kind,
      message: text(10_000),
      op: v.optional(text(200)),
      path: v.optional(text(5000)),
    }),
  }),
  v.strictObject({ type: v.literal("stopped") }),
  v.strictObject({ type: v.literal("list-connections"), id }),
  v.strictObject({
    type: v.literal("connections"),
    id,
    present: listOf(present, maxListedConnections),
  }),
  v.strictObject({ type: v.literal("check"), id, facts: factsOf("check", id) }),
  v.strictObject({ type: v.literal("cancel-check"), id }),
  v.strictObject({ type: v.literal("committed"), facts: factsOf("commit", v.null()) }),
]);

/** A message from a worker to its supervisor. */
export type FromWorker =
  | HookRequest
  | RosterMessage
  | { readonly type: "listening" }
  | { readonly type: "failed"; readonly error: Failure }
  | { readonly type: "stopped" };

/** The fields of a `BargeError`. */
export interface Failure {
  readonly kind: Kind;
  readonly message: string;
  readonly op?: string;
  readonly path?: string;
}

/**
 * Checks a message.
 *
 * @throws {BargeError} `protocol`, with the name of the bad field
 *
 * @example
 * ```ts
 * import { readFromWorker } from "./from_worker.ts";
 * if (readFromWorker({ type: "listening" }).type !== "listening") throw new Error();
 * try {
 *   readFromWorker({ type: "listening", more: true });
 * } catch (error) {
 *   if ((error as { kind: string }).kind !== "protocol") throw error;
 * }
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
function listOf<T extends v.GenericSchema<unknown, Present>>(item: T, maxLength: number) {
  return v.pipe(
    v.custom<unknown[]>((list) => Array.isArray(list) && list.length <= maxLength),
    v.array(item),
  );
}
