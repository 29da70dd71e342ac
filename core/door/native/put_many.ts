/** Serves PUT-MANY: small files in one body. Each succeeds or fails on its own. */
import { BargeError } from "../../error.ts";
import { wireErrors } from "../../protocol/failure.ts";
import type { Answer, Request } from "../../protocol/message.ts";
import type { BodyState, UserContext } from "./context.ts";
import { adviseOnRoom } from "../../session/room_hint.ts";
import { isCancelled, putSmall, uploadOf } from "./put.ts";

/** @returns null: `c.window`, which commits small uploads together, sends the answer in its turn */
export async function servePutMany(
  c: UserContext,
  request: Request<"put-many">,
  { access, taken }: BodyState,
): Promise<null> {
  access.split = true;
  taken(); // from here on, this function reads the body and the trailer
  const { files, overwrite } = request;
  const bytes = await c.reader.whole(request.body);
  const trailer = await c.trailer();
  await c.window.add(files.map(({ path }) => path), bytes.length, async () => {
    let end = 0;
    const outcomes = await Promise.all(files.map(({ sha256, ...file }) => {
      const content = bytes.subarray(end, end += file.size);
      const record = c.access("put", file.path);
      record.bytes = file.size;
      // A file has its own digest; a trailer that cancels the request cancels each file.
      const own = isCancelled(trailer) ? trailer : { sha256 };
      return putSmall(c, uploadOf({ ...file, overwrite }), content, own, record);
    }));
    const failures = outcomes.flatMap((error, file) =>
      error instanceof BargeError ? [{ file, error }] : []
    );
    const errors = wireErrors(
      await adviseOnRoom(c.session, ...failures.map(({ error }) => error)),
    );
    const failed = failures.map(({ file }, i) => ({ file, error: errors[i] }));
    return { ok: true, failed } satisfies Answer<"put-many"> & { ok: true };
  });
  return null;
}
