/** Serves GET: the facts of a file, its bytes from an offset, its digest. */
import { encodeFrame } from "../../protocol/frame.ts";
import type { Answer, Request } from "../../protocol/message.ts";
import { get } from "../../session/get.ts";
import type { BodyState, UserContext } from "./context.ts";

/** Files up to this size are sent in one write with their frames and other answers. */
const smallFileBytes = 32 * 1024;

/** @returns null, since it sends the answer itself */
export async function serveGet(
  c: UserContext,
  request: Request<"get">,
  { access }: BodyState,
): Promise<null> {
  const { path, offset: from, verifies } = request;
  const file = await get(c.session, path, from, { verifies });
  try {
    const { size, offset, sha256 } = file;
    const modified = new Date(file.modified).toISOString();
    const undigested = file.undigested ?? undefined;
    const body = size - offset;
    const answer: Answer<"get"> = { size, offset, modified, sha256, undigested, body };
    let announced = false;
    const announce = () => {
      c.output.queue(encodeFrame({ ok: true, ...answer }));
      announced = true;
    };
    try {
      if (body <= smallFileBytes) {
        const bytes = await file.rest();
        announce();
        c.output.queue(bytes);
      } else {
        for await (const piece of file.pieces()) {
          if (!announced) announce();
          await c.output.write(piece);
          access.bytes += piece.length;
        }
      }
    } catch (error) {
      // Once the size was announced, a failure can only be reported by closing the connection.
      if (announced) c.stream.close();
      throw error;
    }
    access.bytes = body;
    c.output.queue(encodeFrame({ sha256: file.digest() }));
    return null;
  } finally {
    file.close();
  }
}
