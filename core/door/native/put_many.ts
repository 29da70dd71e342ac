/** Serves PUT-MANY: small files in one body. Each succeeds or fails on its own. */
import type { BargeError } from "../../error.ts";
import { failuresOf } from "../../protocol/failure.ts";
import type { Answer, Request } from "../../protocol/message.ts";
import { parseTime } from "../../protocol/time.ts";
import { explain } from "../failure.ts";
import type { BodyState, UserContext } from "./context.ts";
import { cancelled, isCancelled, putSmall } from "./put.ts";

/** @returns null, since the window sends the answer */
export async function servePutMany(
  c: UserContext,
  request: Request<"put-many">,
  { access, taken }: BodyState,
): Promise<null> {
  access.split = true;
  taken();
  const bytes = await c.reader.whole(request.body);
  const complete = !isCancelled(await c.trailer());
  const paths = request.files.map(({ path }) => path);
  await c.window.add(paths, bytes.length, async () => {
    let end = 0;
    const outcomes = await Promise.all(request.files.map((file) => {
      const content = bytes.subarray(end, end += file.size);
      return putOne(c, { ...file, overwrite: request.overwrite }, content, complete);
    }));
    const failures = outcomes.flatMap((error, file) => error ? [{ file, error }] : []);
    const errors = failuresOf(failures.map(({ error }) => error));
    const failed = failures.map(({ file }, i) => ({ file, error: errors[i] }));
    return { ok: true, failed } satisfies Answer<"put-many"> & { ok: true };
  });
  return null;
}

type File = Request<"put-many">["files"][number] & Pick<Request<"put-many">, "overwrite">;

/** @returns the failure, if there was one */
async function putOne(
  c: UserContext,
  { path, size, sha256, modified, overwrite }: File,
  bytes: Uint8Array,
  complete: boolean,
): Promise<BargeError | undefined> {
  const access = c.access("put", path);
  access.bytes = size;
  try {
    if (!complete) throw cancelled();
    const facts = { path, size, overwrite, modified: modified ? parseTime(modified)! : null };
    await putSmall(c, facts, bytes, sha256);
    access.end("ok");
    return undefined;
  } catch (error) {
    const failed = explain(error, { op: "put", path });
    access.end(failed.kind);
    return failed;
  }
}
