/** GET: the file's facts, its bytes from an offset, the digest of the whole. */
import { borrow, giveBack } from "../../net/pool.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import type { Answer, Request } from "../../protocol/message.ts";
import { type Download, get } from "../../session/get.ts";
import type { BodyState, Connection } from "./connection.ts";

/** Files up to this many bytes are sent together with their frames, and with other answers. */
const small = 32 * 1024;

/** @returns null: it has answered itself */
export async function serveGet(
  c: Connection,
  request: Request<"get">,
  { access }: BodyState,
): Promise<null> {
  const file = await get(c.session!, request.path, request.offset);
  try {
    const { size, offset, sha256 } = file;
    const modified = new Date(file.modified).toISOString();
    const answer: Answer<"get"> = { size, offset, modified, sha256, body: size - offset };
    c.output.queue(encodeFrame({ ok: true, ...answer }));
    try {
      if (size - offset <= small) c.output.queue(file.rest());
      else await sendLarge(c, file, (n) => access.bytes += n);
      access.bytes = size - offset;
    } catch (error) {
      // The body was announced: what can't be sent can only be told by cutting it off.
      c.stream.close();
      throw error;
    }
    c.output.queue(encodeFrame({ sha256: file.digest() }));
    return null;
  } finally {
    file.close();
  }
}

/** The next piece is read while the last one is sent. */
async function sendLarge(
  c: Connection,
  file: Download,
  onSent: (bytes: number) => void,
): Promise<void> {
  let [one, other] = [borrow(), borrow()];
  try {
    let n = await file.read(one);
    while (n > 0) {
      // Both are waited for, also if one fails: neither buffer may be given back while in use.
      const reading = file.read(other);
      const [sent, read] = await Promise.allSettled([c.output.write(one.subarray(0, n)), reading]);
      if (sent.status === "rejected") throw sent.reason;
      onSent(n);
      if (read.status === "rejected") throw read.reason;
      [one, other, n] = [other, one, read.value];
    }
  } finally {
    giveBack(one);
    giveBack(other);
  }
}
