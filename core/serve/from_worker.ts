/**
 * The messages that a worker may send to its supervisor, and their check. A worker talks to
 * strangers, so that the supervisor takes nothing from it on trust: no path, no field beyond these,
 * no text without a bound.
 */
import * as v from "valibot";
import { checkName } from "../local/account/accounts.ts";
import { BargeError, type Kind, kinds } from "../error.ts";
import { bytes, sha256 } from "../protocol/field.ts";
import { doorNames } from "../watch/metrics.ts";
import { mostTold, type Present } from "../watch/roster.ts";
import { locate } from "../storage/path.ts";
import type { Gathering } from "./roster_query.ts";
import type { FromDesk } from "./hook_programs.ts";

const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
const passes = (check: (text: string) => unknown) => (text: string) => {
  try {
    check(text);
    return true;
  } catch {
    return false;
  }
};
const account = v.pipe(text(64), v.check(passes(checkName), "no account's name"));
/** A path in /home or /public; the check knows its bounds. */
const path = v.pipe(
  text(3000),
  v.check(passes((path) => locate(path, "a")), "no path of a user's"),
);
/** RFC 3339, or what JavaScript makes of a year beyond 9999. */
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
  v.strictObject({ type: v.literal("who"), id }),
  v.strictObject({ type: v.literal("here"), id, present: listOf(present, mostTold) }),
  v.strictObject({ type: v.literal("check"), id, facts: factsOf("check", id) }),
  v.strictObject({ type: v.literal("uncheck"), id }),
  v.strictObject({ type: v.literal("committed"), facts: factsOf("commit", v.null()) }),
]);

/** A message from a worker to its supervisor. */
export type FromWorker =
  | FromDesk
  | Gathering
  | { readonly type: "listening" }
  | { readonly type: "failed"; readonly error: Failure }
  | { readonly type: "stopped" };

/** A `BargeError` as it crosses to the supervisor. */
export interface Failure {
  readonly kind: Kind;
  readonly message: string;
  readonly op?: string;
  readonly path?: string;
}

/**
 * Checks a message.
 *
 * @throws {BargeError} `protocol`, with the field that is wrong
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
  // Not the issue's own message, which quotes what was received.
  const why = field === null ? "no message of a worker's" : `bad field ${field}`;
  throw new BargeError("protocol", why, { op: "read message" });
}

/** A list whose length is checked before its items are looked at: it may be sparse, and huge. */
function listOf<T extends v.GenericSchema<unknown, Present>>(item: T, most: number) {
  return v.pipe(
    v.custom<unknown[]>((list) => Array.isArray(list) && list.length <= most),
    v.array(item),
  );
}
