/**
 * The limits of a server: from the command line, else from a file, else the defaults. SIGHUP reads
 * the file again; an invalid file changes nothing.
 */
import * as v from "valibot";
import { BargeError, typed } from "../../core/error.ts";
import { defaultMinPassword, mostMinPassword } from "../../core/protocol/password.ts";
import { minRateBytesPerSecond } from "../../core/watch/rate.ts";
import type { Adjustable } from "../../core/watch/settings.ts";
import { similar } from "../_term/similar.ts";
import { parseSize } from "../../core/size.ts";

const maxCount = 1_000_000;

const count = v.pipe(
  v.number("must be a whole number"),
  v.integer("must be a whole number"),
  v.minValue(0, "must be 0 or more"),
  v.maxValue(maxCount, `must be at most ${maxCount}`),
);
/** Bytes, as a number or in the form of the command line. */
const size = v.pipe(
  v.union([v.number(), v.string()], 'must be bytes, a size like "20GiB", or "none"'),
  v.transform((value) =>
    value === "none" ? null : typeof value === "number" ? value : parseSize(value)
  ),
  v.check(
    (bytes) => bytes === null || (Number.isSafeInteger(bytes) && bytes! >= 0),
    'must be bytes, a size like "20GiB", or "none"',
  ),
  v.transform((bytes) => bytes as number | null),
);
const rate = v.pipe(
  size,
  v.check(
    (bytes) => bytes === null || bytes >= minRateBytesPerSecond,
    "must be 1KiB or more, or none",
  ),
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

/** The limits of the command line; undefined: not options. */
export interface LimitOptions {
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
 * Returns the limits of a server.
 *
 * @param path the file of limits, if any
 * @throws {BargeError} `usage` for an invalid file, `fatal` for one that can't be read
 */
export function readLimits(options: LimitOptions, path: string | undefined): Adjustable {
  const file = path === undefined ? {} : parseLimits(read(path), path);
  const quota = first(options.quota, file.quota, 1_000_000);
  return {
    defaultLimit: quota,
    maxLimit: first(options.maxQuota, file["max-quota"], quota),
    minPassword: first(options.minPassword, file["min-password"], defaultMinPassword),
    banAfter: first(options.banAfter, file["ban-after"], 9),
    registering: {
      perAddress: first(options.registerPerAddress, file["register-per-address"], 5) || null,
      perHour: first(options.registerPerHour, file["register-per-hour"], 100) || null,
      total: first(options.registerTotal, file["register-total"], 10 * 2 ** 30),
    },
    rateUp: first(options.rateUp, file["rate-up"], null),
    rateDown: first(options.rateDown, file["rate-down"], null),
    limits: {
      connections: first(options.maxConnections, file["max-connections"], 4096),
      perAddress: first(options.maxPerAddress, file["max-per-address"], 256),
      perAccount: first(options.maxPerAccount, file["max-per-account"], 1024),
    },
  };
}

/**
 * Parses a file of limits.
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
  const invalid = (why: string, hint?: string) =>
    new BargeError("usage", why, { op: "read limits", path, hint });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(`the file is not JSON: ${(cause as Error).message}`);
  }
  if (Array.isArray(value)) throw invalid("the file must hold one JSON object");
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const at = v.getDotPath(issue);
  if (at === null) throw invalid("the file must hold one JSON object");
  const unknown = issue.type === "strict_object" && issue.expected === "never";
  if (!unknown) throw invalid(`${at} ${issue.message}`);
  const names = Object.keys(schema.entries);
  const near = similar(at, names);
  const hint = near.length > 0
    ? `did you mean ${near.join(" or ")}?`
    : `there are ${names.join(", ")}`;
  throw invalid(`there is no limit ${JSON.stringify(at)}`, hint);
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
