/** The fields that messages of BARGE/1 are made of. */
import * as v from "valibot";
import { parseTime } from "./time.ts";

export const bytes = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const count = bytes;
export const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));
/** A time in the format of RFC 3339, as text, on a date that exists; {@link parseTime} reads it. */
export const time = v.pipe(
  v.string(),
  v.check(
    (text) => parseTime(text) !== undefined,
    "not an existing time in the format of RFC 3339",
  ),
);
export const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "no SHA-256 in lower-case hex"));
/** The reason why a file has no stored digest: `added` to the server's disk by hand, or `changed` there. */
export const undigested = v.string();
/** Base64 (RFC 4648, section 4, with padding) of `minBytes` to `maxBytes` bytes. */
export const base64 = (minBytes: number, maxBytes = minBytes) =>
  v.pipe(
    v.string(),
    v.maxLength(Math.ceil(maxBytes / 3) * 4, "too long"),
    v.regex(
      /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
      "no base64 with padding",
    ),
    v.check((text) => {
      const size = text.length / 4 * 3 - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);
      return size >= minBytes && size <= maxBytes;
    }, `must be ${minBytes}${maxBytes === minBytes ? "" : ` to ${maxBytes}`} bytes`),
  );
export const nonce = base64(16, 96);
export const salt = base64(8, 96);
export const key = base64(32);
export const path = v.string();

/** Whether an existing file may be replaced; with `sha256`, only the file of that digest. */
export const overwrite = v.union([v.literal("always"), v.literal("never"), v.object({ sha256 })]);

/** A failure. */
export const wireError = v.object({
  kind: v.string(),
  message: v.string(),
  op: v.optional(v.string()),
  path: v.optional(v.string()),
  account: v.optional(v.string()),
  hint: v.optional(v.string()),
});
