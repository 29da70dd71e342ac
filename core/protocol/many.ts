/**
 * Many small files in one request: their facts in its frame, their bytes one behind the other in one
 * body. What a request costs by itself is then shared by all of them.
 *
 * Each file has its own fate: in the answer to `put-many`, only those that failed are named.
 */
import * as v from "valibot";
import type { BargeError } from "../error.ts";
import { bytes, count, overwrite, path, sha256, time, undigested, wireError } from "./field.ts";

/** How many files go together, and bytes of them. */
export const many = { files: 64, bytes: 1024 * 1024 };

const fileToPut = v.object({ path, size: bytes, modified: v.optional(time), sha256 });

export const putMany = v.pipe(
  v.object({
    verb: v.literal("put-many"),
    files: v.pipe(v.array(fileToPut), v.minLength(1), v.maxLength(many.files)),
    overwrite: v.optional(overwrite, "always"),
    body: bytes,
  }),
  v.check(
    ({ files, body }) => body === files.reduce((sum, { size }) => sum + size, 0),
    "a body must be the sizes of its files",
  ),
  v.check(
    ({ files }) => new Set(files.map(({ path }) => path)).size === files.length,
    "a path must not be there twice",
  ),
  v.check(({ body }) => body <= many.bytes, `a body must have at most ${many.bytes} bytes`),
);

export const wasPut = v.object({
  failed: v.array(v.object({ file: count, error: wireError })),
});

export const getMany = v.object({
  verb: v.literal("get-many"),
  paths: v.pipe(v.array(path), v.minLength(1), v.maxLength(many.files)),
});

export const gotMany = v.object({
  /** As they were asked for. Null: it doesn't fit in beside the others, and is to be asked for alone. */
  files: v.array(
    v.union([
      v.object({ size: bytes, modified: time, sha256, undigested: v.optional(undigested) }),
      v.object({ error: wireError }),
      v.null(),
    ]),
  ),
  body: bytes,
});

/** Characters of all messages, and as many of all hints, so that the answer fits into a frame. */
const most = 8000;

/**
 * What the failures of some files say. The more there are, the shorter; who asked knows the path.
 *
 * @example
 * ```ts
 * import { BargeError } from "../error.ts";
 * import { failuresOf } from "./many.ts";
 * const [error] = failuresOf([new BargeError("exists", "it is a folder", { path: "/home/a" })]);
 * if (JSON.stringify(error) !== '{"kind":"exists","message":"it is a folder"}') throw new Error();
 * ```
 */
export function failuresOf(
  errors: readonly BargeError[],
): { kind: string; message: string; hint?: string }[] {
  const length = Math.min(2000, Math.floor(most / errors.length));
  return errors.map(({ kind, message, hint }) => ({
    kind,
    message: message.slice(0, length).toWellFormed(),
    hint: hint?.slice(0, length).toWellFormed(),
  }));
}
