/** PUT: a body that comes at once with a small file, or after "go on from offset N". */
import { createHash } from "node:crypto";
import { BargeError, typed } from "../../error.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import {
  type Answer,
  eagerLimit,
  failure,
  parseOther,
  type Request,
} from "../../protocol/message.ts";
import { type Committed, put, type PutRequest, putWhole, type Upload } from "../../session/put.ts";
import type { BodyState, Connection } from "./connection.ts";

/** @returns null for a small file: the window answers it */
export function servePut(
  c: Connection,
  request: Request<"put">,
  state: BodyState,
): Promise<object | null> {
  const { path, size, modified, overwrite } = request;
  const facts = { path, size, overwrite, modified: modified ? Date.parse(modified) : null };
  return state.body === undefined ? serveWaiting(c, facts) : serveEager(c, facts, state);
}

/** What is told of a committed upload. */
export function written(committed: Committed): Answer<"put"> {
  return { ...committed, modified: new Date(committed.modified).toISOString() };
}

async function serveEager(c: Connection, request: PutRequest, state: BodyState): Promise<null> {
  const { body } = state;
  if (typeof body !== "number" || body > eagerLimit || body !== request.size) {
    throw new BargeError(
      "protocol",
      `a body that comes at once is sized, and at most ${eagerLimit} bytes`,
    );
  }
  state.taken();
  const bytes = new Uint8Array(body);
  let at = 0;
  for await (const piece of c.reader.body()) {
    bytes.set(piece, at);
    at += piece.length;
  }
  const trailer = await readTrailer(c);
  const session = c.session!;
  await c.window.add(request.path, body, async () => {
    try {
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      if (trailer === null) throw cancelled();
      if (sha256 !== trailer) {
        throw new BargeError("digest", `what arrived has SHA-256 ${sha256}, not ${trailer}`);
      }
      return { ok: true, ...written(await putWhole(session, request, bytes, sha256)) };
    } catch (error) {
      return failure(typed(error, { op: "put", path: request.path }));
    }
  });
  return null;
}

async function serveWaiting(c: Connection, request: PutRequest): Promise<object | null> {
  await c.window.drain();
  const upload = await put(c.session!, request);
  try {
    c.output.queue(encodeFrame({ ok: true, offset: upload.offset, prefix: upload.prefix }));
    const frame = await c.reader.frame();
    if (!frame) throw new BargeError("unavailable", "the connection was cut");
    const from = parseOther("from", frame.value);
    if (from.offset !== 0 && from.offset !== upload.offset) {
      throw new BargeError(
        "protocol",
        `from ${from.offset}, where 0 or ${upload.offset} was offered`,
      );
    }
    const due = request.size === null ? "chunked" : request.size - from.offset;
    if (from.body !== due) {
      throw new BargeError("protocol", `a body of ${from.body}, ${due} was due`);
    }
    if (from.offset === 0) await upload.restart();
    await receive(c, upload, async (failed) => {
      // Told at once, so that a client that listens can stop sending; the rest is read away.
      c.output.queue(encodeFrame(failure(failed.with({ op: "put", path: request.path }))));
      await c.output.flush();
    });
    if (upload.ended) {
      await c.reader.frame();
      return null;
    }
    const sha256 = await readTrailer(c);
    if (sha256 === null) {
      upload.drop();
      throw cancelled();
    }
    return written(await upload.commit(sha256, true));
  } finally {
    upload.detach();
  }
}

/**
 * Writes the body to its end; the next piece is read while the last one is written.
 *
 * @param onFailure told once, when the upload has failed; what still comes is thrown away
 */
async function receive(
  c: Connection,
  upload: Upload,
  onFailure: (error: BargeError) => Promise<void>,
): Promise<void> {
  let failed: BargeError | undefined;
  let writing: Promise<void> = Promise.resolve();
  const written = async () => {
    try {
      await writing;
    } catch (error) {
      failed = typed(error);
      upload.fail(failed);
      await onFailure(failed);
    }
  };
  try {
    for await (const piece of c.reader.body()) {
      if (failed) continue;
      await written();
      if (!failed) writing = upload.write(piece);
    }
    if (!failed) await written();
  } finally {
    await writing.catch(() => {/* the cut that brought us here is told instead */});
  }
}

async function readTrailer(c: Connection): Promise<string | null> {
  const frame = await c.reader.frame();
  if (!frame) throw new BargeError("unavailable", "the connection was cut");
  return parseOther("trailer", frame.value).sha256;
}

function cancelled(): BargeError {
  return new BargeError("interrupted", "the client cancelled the upload");
}
