/** Serves PUT: the body follows the request of a small file, else the server's "go on". */
import { BargeError } from "../../error.ts";
import { encodeFrame, type FrameValue } from "../../protocol/frame.ts";
import { failure } from "../../protocol/failure.ts";
import {
  type Answer,
  maxEagerBytes,
  parseBodyFrame,
  type Request,
  type Trailer,
} from "../../protocol/message.ts";
import { parseTime } from "../../protocol/time.ts";
import { adviseOnRoom } from "../../session/room_hint.ts";
import type { StoredFile } from "../../storage/uploads.ts";
import type { Incoming } from "../../upload/incoming.ts";
import { receive as receiveUpload, receiveWhole } from "../../upload/receive.ts";
import type { UploadRequest } from "../../upload/request.ts";
import type { Access } from "../access.ts";
import type { BodyState, UserContext } from "./context.ts";
import { explain, note } from "../failure.ts";

/** @returns null for a small file, since the window sends the answer */
export function servePut(
  c: UserContext,
  request: Request<"put">,
  state: BodyState,
): Promise<object | null> {
  const upload = uploadOf(request);
  return state.body === undefined ? serveWaiting(c, upload, state) : serveEager(c, upload, state);
}

/** Returns the upload that the fields of a request describe. */
export function uploadOf(
  { path, size, modified, overwrite }: Omit<Request<"put">, "verb" | "body">,
): UploadRequest {
  return { path, size, overwrite, modified: modified ? parseTime(modified)! : null };
}

/** Returns the answer's fields for a committed upload. */
export function storedAnswer(committed: StoredFile): Answer<"put"> {
  return { ...committed, modified: new Date(committed.modified).toISOString() };
}

async function serveEager(c: UserContext, request: UploadRequest, state: BodyState): Promise<null> {
  const { body } = state;
  // The schema checks this, too; here it bounds the memory.
  if (typeof body !== "number" || body > maxEagerBytes || body !== request.size) {
    throw new BargeError(
      "protocol",
      `a body that comes at once has at most ${maxEagerBytes} bytes`,
    );
  }
  state.taken();
  const bytes = await c.reader.whole(body);
  const trailer = await c.trailer();
  const { access } = state;
  access.bytes = body;
  access.pending = true;
  await c.window.add([request.path], body, async () => {
    const outcome = await putSmall(c, request, bytes, trailer, access);
    if (!(outcome instanceof BargeError)) return { ok: true, ...storedAnswer(outcome) };
    const [failed] = await adviseOnRoom(c.session, outcome);
    return failure(failed);
  });
  return null;
}

async function serveWaiting(
  c: UserContext,
  request: UploadRequest,
  { access }: BodyState,
): Promise<object | null> {
  await c.window.drain();
  const upload = await receiveUpload(c.session, { ...request, announced: true });
  try {
    c.output.queue(encodeFrame({ ok: true, offset: upload.offset, prefix: upload.prefix }));
    const from = parseBodyFrame("from", await whenCompared(c, upload));
    if (from.offset !== 0 && from.offset !== upload.offset) {
      throw new BargeError(
        "protocol",
        `the upload can begin at 0 or ${upload.offset}, not at ${from.offset}`,
      );
    }
    // Chunks are allowed for a known size, too: a client can then cancel if its source shrinks.
    const left = request.size === null ? undefined : request.size - from.offset;
    if (from.body !== "chunked" && from.body !== left) {
      throw new BargeError(
        "protocol",
        `the body is ${from.body}, and must be ${left === undefined ? "" : `${left} or `}chunked`,
      );
    }
    const failed = await receive(c, upload, from.offset === 0, request.path, access);
    const trailer = await c.trailer();
    if (failed) return null;
    if (isCancelled(trailer)) {
      await upload.drop();
      throw cancelled();
    }
    if (trailer.sha256 === null && request.size === null) {
      throw new BargeError("protocol", "an upload of no declared size needs a digest");
    }
    return storedAnswer(await c.watched((gone) => upload.commit(trailer.sha256, true, gone)));
  } finally {
    await upload.detach();
  }
}

/** Reads the frame `from`. Before it, the client may send keep-alives while it compares the staged bytes. */
async function whenCompared(c: UserContext, upload: Incoming): Promise<FrameValue> {
  while (true) {
    const frame = await c.reader.frame();
    if (!frame) throw new BargeError("unavailable", "the connection was cut");
    if (frame.value.alive === undefined) return frame.value;
    parseBodyFrame("alive", frame.value);
    try {
      c.pauses?.onKeepAlive();
      upload.renewLease();
    } catch (error) {
      // The connection must end: bytes of the body could follow, and be taken for a request.
      if (error instanceof BargeError) c.cut(error);
      throw error;
    }
  }
}

/**
 * Writes the body to its end; the next piece is read while the last one is written. A failure is
 * answered at once, so that the client can stop sending; the rest of the body is dropped.
 *
 * @param restart true to drop the staged bytes first
 * @returns true if the upload has failed, and the failure was answered
 */
async function receive(
  c: UserContext,
  upload: Incoming,
  restart: boolean,
  path: string,
  access: Access,
): Promise<boolean> {
  let failed: BargeError | undefined;
  const fail = async (error: unknown) => {
    [failed] = await adviseOnRoom(c.session, explain(error, { op: "put", path }));
    access.end(failed.kind);
    try {
      await upload.fail(failed);
    } catch (second) {
      note(second, c.stream.peer);
    }
    if (failed.kind === "protocol") return; // thrown below, which ends the connection
    c.output.queue(encodeFrame(failure(failed)));
    c.output.flush().catch(() => {/* the reader of the body fails, too */});
  };
  const alive = () => {
    writing = writing.then(() => {
      if (failed) return; // pauses are not allowed after a failure
      c.pauses?.onKeepAlive();
      upload.renewLease();
    }).catch(fail);
  };
  let writing = restart ? upload.truncate(0).catch(fail) : Promise.resolve();
  try {
    for await (const piece of c.reader.body(alive)) {
      await writing;
      access.bytes += piece.length;
      if (!failed) writing = upload.write(piece).catch(fail);
      else if (failed.kind === "protocol") break;
    }
  } finally {
    await writing;
  }
  if (failed?.kind === "protocol") throw failed;
  return failed !== undefined;
}

/** Receives a small file whose bytes have all arrived, and ends its record. Never throws. */
export async function putSmall(
  c: UserContext,
  request: UploadRequest,
  bytes: Uint8Array,
  trailer: Trailer,
  access: Access,
): Promise<StoredFile | BargeError> {
  try {
    if (isCancelled(trailer)) throw cancelled();
    const { sha256 } = trailer;
    const upload = { ...request, base: "fresh" } as const;
    const stored = await receiveWhole(c.session, upload, bytes, sha256, c.ended.signal);
    access.end("ok");
    return stored;
  } catch (error) {
    const failed = explain(error, { op: "put", path: request.path });
    access.end(failed.kind);
    return failed;
  }
}

export function isCancelled({ sha256, whole }: Trailer): boolean {
  return sha256 === null && !whole;
}

function cancelled(): BargeError {
  return new BargeError("interrupted", "the client cancelled the upload");
}
