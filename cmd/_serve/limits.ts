/**
 * The limits of a server: from the command line, else from a file, else the defaults. SIGHUP reads
 * the file again; an invalid file changes nothing.
 */
import * as v from "valibot";
import { BargeError, typed } from "../../core/error.ts";
import { defaultMinPasswordLength, maxMinPasswordLength } from "../../core/protocol/password.ts";
import { minRateBytesPerSecond } from "../../core/watch/rate.ts";
import type { Adjustable } from "../../core/watch/settings.ts";
import { didYouMean } from "../_term/similar.ts";
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
  v.union([v.number(), v.string()], 'must be a number of bytes, a size like "20GiB", or "none"'),
  v.transform((value) =>
    value === "none" ? null : typeof value === "number" ? value : parseSize(value)
  ),
  v.check(
    (bytes) => bytes === null || (Number.isSafeInteger(bytes) && bytes! >= 0),
    'must be a number of bytes, a size like "20GiB", or "none"',
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

/** The fields of the file; each has the name of its option. */
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
    v.pipe(count, v.maxValue(maxMinPasswordLength, `must be at most ${maxMinPasswordLength}`)),
  ),
  "register-per-address": v.optional(count),
  "register-per-hour": v.optional(count),
  "register-total": v.optional(size),
});

type FileLimits = v.InferOutput<typeof schema>;
type CamelCase<Name> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;
/** The limits as the options of the command line name them. */
export type LimitOptions = { [Name in keyof FileLimits as CamelCase<Name>]?: FileLimits[Name] };

/**
 * Returns the limits of a server.
 *
 * @param path the file of limits, if any
 * @throws {BargeError} `usage` for an invalid file, `fatal` for one that can't be read
 */
export function readLimits(options: LimitOptions, path: string | undefined) {
  const file = path === undefined ? {} : parseLimits(read(path), path);
  const inFile = Object.entries(file).map(([name, limit]) => [camelCase(name), limit]);
  const given = Object.entries(options).filter(([, limit]) => limit !== undefined);
  const {
    quota = 1_000_000,
    maxQuota = quota,
    minPassword = defaultMinPasswordLength,
    banAfter = 9,
    registerPerAddress = 5,
    registerPerHour = 100,
    registerTotal = 10 * 2 ** 30,
    rateUp = null,
    rateDown = null,
    maxConnections = 4096,
    maxPerAddress = 256,
    maxPerAccount = 1024,
  }: LimitOptions = Object.fromEntries([...inFile, ...given]);
  return {
    defaultLimit: quota,
    maxLimit: maxQuota,
    minPassword,
    banAfter,
    registering: {
      perAddress: registerPerAddress || null,
      perHour: registerPerHour || null,
      total: registerTotal,
    },
    rateUp,
    rateDown,
    limits: { connections: maxConnections, perAddress: maxPerAddress, perAccount: maxPerAccount },
  } satisfies Adjustable;
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
export function parseLimits(text: string, path: string): FileLimits {
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
  const hint = didYouMean(at, names, `there are ${names.join(", ")}`);
  throw invalid(`there is no limit ${JSON.stringify(at)}`, hint);
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    const { message } = typed(cause);
    throw new BargeError("fatal", message, { op: "read limits", path, cause });
  }
}
