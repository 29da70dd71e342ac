/**
 * The limits of a server: from the command line, else from a file, else the defaults. The file is
 * read again on SIGHUP, so all of it is checked before any of it holds.
 */
import * as v from "valibot";
import { BargeError, typed } from "../../core/error.ts";
import { defaultMinPassword, mostMinPassword } from "../../core/protocol/password.ts";
import { leastRate } from "../../core/session/rate.ts";
import type { Adjustable } from "../../core/session/store.ts";
import { similar } from "../_term/similar.ts";
import { parseSize } from "../_term/size.ts";

const mostCount = 1_000_000;

const count = v.pipe(
  v.number("must be a whole number"),
  v.integer("must be a whole number"),
  v.minValue(0, "must be 0 or more"),
  v.maxValue(mostCount, `must be at most ${mostCount}`),
);
/** Bytes, as a number or as on the command line. */
const size = v.pipe(
  v.union([v.number(), v.string()], 'must be bytes, a size like "20GiB", or "none"'),
  v.transform((given) =>
    given === "none" ? null : typeof given === "number" ? given : parseSize(given)
  ),
  v.check(
    (bytes) => bytes === null || (Number.isSafeInteger(bytes) && bytes! >= 0),
    'must be bytes, a size like "20GiB", or "none"',
  ),
  v.transform((bytes) => bytes as number | null),
);
const rate = v.pipe(
  size,
  v.check((bytes) => bytes === null || bytes >= leastRate, "must be 1KiB or more, or none"),
);

/** Named like the options. */
const schema = v.strictObject({
  "max-connections": v.optional(count),
  "max-per-address": v.optional(count),
  "max-per-account": v.optional(count),
  "rate-up": v.optional(rate),
  "rate-down": v.optional(rate),
  "ban-after": v.optional(count),
  quota: v.optional(size),
  "max-quota": v.optional(size),
  "min-password": v.optional(
    v.pipe(count, v.maxValue(mostMinPassword, `must be at most ${mostMinPassword}`)),
  ),
  "register-per-address": v.optional(count),
  "register-per-hour": v.optional(count),
  "register-total": v.optional(size),
});

/** What the command line says; undefined where it says nothing. */
export interface Given {
  readonly maxConnections: number | undefined;
  readonly maxPerAddress: number | undefined;
  readonly maxPerAccount: number | undefined;
  readonly rateUp: number | null | undefined;
  readonly rateDown: number | null | undefined;
  readonly banAfter: number | undefined;
  readonly quota: number | null | undefined;
  readonly maxQuota: number | null | undefined;
  readonly minPassword: number | undefined;
  readonly registerPerAddress: number | undefined;
  readonly registerPerHour: number | undefined;
  readonly registerTotal: number | null | undefined;
}

/**
 * @param path the file; undefined: there is none
 * @throws {BargeError} `usage` for what is not right in it, `fatal` when it can't be read
 */
export function readLimits(given: Given, path: string | undefined): Adjustable {
  const file = path === undefined ? {} : parseLimits(read(path), path);
  const quota = first(given.quota, file.quota, 1_000_000);
  return {
    defaultLimit: quota,
    maxLimit: first(given.maxQuota, file["max-quota"], quota),
    minPassword: first(given.minPassword, file["min-password"], defaultMinPassword),
    banAfter: first(given.banAfter, file["ban-after"], 9),
    registering: {
      perAddress: first(given.registerPerAddress, file["register-per-address"], 5) || null,
      perHour: first(given.registerPerHour, file["register-per-hour"], 100) || null,
      total: first(given.registerTotal, file["register-total"], 10 * 2 ** 30),
    },
    rateUp: first(given.rateUp, file["rate-up"], null),
    rateDown: first(given.rateDown, file["rate-down"], null),
    limits: {
      connections: first(given.maxConnections, file["max-connections"], 4096),
      perAddress: first(given.maxPerAddress, file["max-per-address"], 256),
      perAccount: first(given.maxPerAccount, file["max-per-account"], 1024),
    },
  };
}

/**
 * Checks what a file of limits says.
 *
 * @param path for messages
 * @throws {BargeError} `usage`
 *
 * @example
 * ```ts
 * import { parseLimits } from "./limits.ts";
 * const limits = parseLimits('{"max-connections": 100, "rate-up": "10MB"}', "limits.json");
 * if (limits["max-connections"] !== 100 || limits["rate-up"] !== 10_000_000) throw new Error();
 * ```
 */
export function parseLimits(text: string, path: string): v.InferOutput<typeof schema> {
  const wrong = (why: string, hint?: string) =>
    new BargeError("usage", why, { op: "read limits", path, hint });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong(`it is not JSON: ${(cause as Error).message}`);
  }
  if (Array.isArray(value)) throw wrong("it must hold one JSON object");
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const at = v.getDotPath(issue);
  if (at === null) throw wrong("it must hold one JSON object");
  const unknown = issue.type === "strict_object" && issue.expected === "never";
  if (!unknown) throw wrong(`${at} ${issue.message}`);
  const names = Object.keys(schema.entries);
  const near = similar(at, names);
  const hint = near.length > 0
    ? `did you mean ${near.join(" or ")}?`
    : `there are ${names.join(", ")}`;
  throw wrong(`there is no limit ${JSON.stringify(at)}`, hint);
}

function first<T>(...values: [T | undefined, T | undefined, T]): T {
  return values.find((value) => value !== undefined) as T;
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    const { message } = typed(cause);
    throw new BargeError("fatal", message, { op: "read limits", path, cause });
  }
}
