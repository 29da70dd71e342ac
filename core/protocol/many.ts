/**
 * Requests for several small files, which share the cost of one request: the facts of the files are in
 * its frame, their bytes in one body. Each file succeeds or fails by itself; the answer to `put-many`
 * names only the failed files.
 */
import * as v from "valibot";
import {
  bytes,
  count,
  overwrite,
  path,
  request,
  sha256,
  time,
  undigested,
  wireError,
} from "./field.ts";

/** The most files, and bytes of files, in one request. */
export const many = { files: 64, bytes: 1024 * 1024 };

const fileToPut = v.object({ path, size: bytes, modified: v.optional(time), sha256 });

export const putMany = v.pipe(
  request("put-many", {
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
    "no path may occur twice",
  ),
  v.check(({ body }) => body <= many.bytes, `a body must have at most ${many.bytes} bytes`),
);

export const wasPut = v.object({ failed: v.array(v.object({ file: count, error: wireError })) });

export const getMany = request("get-many", {
  paths: v.pipe(v.array(path), v.minLength(1), v.maxLength(many.files)),
});

export const gotMany = v.object({
  /** In the order of the paths. Null: the file does not fit into this answer; request it alone. */
  files: v.array(
    v.union([
      v.object({ size: bytes, modified: time, sha256, undigested: v.optional(undigested) }),
      v.object({ error: wireError }),
      v.null(),
    ]),
  ),
  body: bytes,
});
