/**
 * Uploads that resume, by tus 1.0.0. An upload's URL is /uploads and its file's path: it is the one
 * unfinished upload that the account has to that path, at every door. After `barge put`, a tus
 * client goes on with, and the other way round; restarts and other workers don't matter, since all
 * that is known of it is in the database. PATCH takes an upload over from a connection that still
 * writes it, whose own request fails with 410. DELETE ends it for that connection, too. Only POST,
 * which would begin another upload, fails with 423 while bytes arrive.
 *
 *   begun -> appended to -> all bytes staged -> (checked) -> a file
 *
 * Clients take `Upload-Offset` equal to `Upload-Length` for success, also in the answer to HEAD. So
 * only a file is reported with all of its bytes:
 *
 *   a file      as long as the file is that upload's: for a client that lost the last answer
 *   checked     423: the client asks again
 *   all staged  one byte less, where the last step failed or was cut off: the client sends that byte
 *               again, with its conditions, and gets the answer of the step that is done again
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { BargeError, typed } from "../../../error.ts";
import { parseTime } from "../../../protocol/time.ts";
import type { Incoming } from "../../../upload/incoming.ts";
import {
  dropPartialUpload,
  finishedUpload,
  type PartialUpload,
  partialUpload,
} from "../../../upload/partial_upload.ts";
import { receive } from "../../../upload/receive.ts";
import { readDigest } from "../digest_field.ts";
import type { AuthenticatedExchange, Exchange } from "../exchange.ts";
import { encodePath, treePath } from "../path.ts";
import { Refusal } from "../problem.ts";
import { committedHeaders, conditions, receiveInto } from "../upload.ts";
import { where } from "./files.ts";
import { json, operation, root } from "./operation.ts";
import * as schemas from "./schemas.ts";
import { bytesIn, readChecksum, readMetadata, speakTus, tusAbilities, tusType } from "./tus.ts";

const spoken = { "Tus-Resumable": "`1.0.0`" };
const sending = {
  ...spoken,
  "Upload-Checksum": "`sha256`, `sha1` or `md5`, and the digest of this body in Base64",
  "Repr-Digest": "With the last bytes: what the whole file is to be",
};
const refusals = {
  404: { description: "There is no such upload", schema: schemas.problem },
  409: { description: "The upload is at another offset", schema: schemas.problem },
  410: { description: "A newer connection has taken the upload over", schema: schemas.problem },
  412: {
    description: "The file is not as If-Match or If-None-Match have it",
    schema: schemas.problem,
  },
  415: { description: `The body is not ${tusType}`, schema: schemas.problem },
  423: { description: "Another connection writes to it", schema: schemas.problem },
  460: { description: "The body is not what its checksum says", schema: schemas.problem },
  507: { description: "There is no room for it", schema: schemas.problem },
};
const { 423: _busy, ...appendRefusals } = refusals;
const { 410: _taken, 415: _type, 460: _checksum, ...few } = appendRefusals;

export const uploads = [
  operation({
    method: "OPTIONS",
    path: "/uploads{path}",
    id: "uploadAbilities",
    summary: "What this server knows of tus",
    login: false,
    answers: { 204: { description: "In the headers" } },
    handle(exchange) {
      exchange.outgoing.setHeader("tus-resumable", "1.0.0");
      return new Response(null, { status: 204, headers: tusAbilities });
    },
  }),
  operation({
    method: "POST",
    path: "/uploads{path}",
    id: "createUpload",
    verb: "put",
    summary:
      "Begin an upload, of the file at the path, or into the folder whose path ends in a slash",
    login: true,
    body: "bytes",
    headers: {
      ...sending,
      "Upload-Length": "Bytes of the whole file",
      "Upload-Defer-Length": "`1`: not known yet",
      "Upload-Metadata": "`filename`, where the path is a folder's; `modified`, as RFC 3339 has it",
      "If-None-Match": "`*`: replace nothing",
    },
    answers: {
      201: { description: "It is begun", headers: { "Location": "The upload's URL" } },
      ...refusals,
    },
    handle(exchange, { rest }) {
      switch (exchange.header("x-http-method-override")?.toUpperCase()) {
        case "PATCH":
          return append(exchange, rest);
        case "DELETE":
          return end(exchange, rest);
      }
      return create(exchange, rest);
    },
  }),
  operation({
    method: "GET",
    path: "/uploads{path}",
    id: "upload",
    verb: "stat",
    summary: "How far an upload is; HEAD has it in the headers alone",
    login: true,
    headers: spoken,
    answers: {
      200: {
        description: "It can go on there; with all bytes there, it is a file",
        schema: schemas.unfinished,
        headers: { "Upload-Offset": "Bytes that are there", "Upload-Length": "Bytes of the whole" },
      },
      404: refusals[404],
      423: {
        description: "All bytes are there, and it is becoming a file",
        schema: schemas.problem,
      },
    },
    async handle(exchange, { rest }) {
      speakTus(exchange);
      const { path } = where(exchange, rest);
      const upload = await known(exchange, path);
      if (isStaged(upload)) refuseBusy(upload);
      const { size } = upload;
      const expires = new Date(upload.expires).toISOString();
      const facts = { path, offset: reported(upload), size, expires };
      return json(facts, { headers: headersOf(upload) });
    },
  }),
  operation({
    method: "PATCH",
    path: "/uploads{path}",
    id: "appendToUpload",
    verb: "put",
    summary: "Send the next bytes; with the last ones it becomes a file",
    login: true,
    body: "bytes",
    headers: { ...sending, "Upload-Offset": "Where they begin: where the upload is" },
    answers: { 204: { description: "They are there" }, ...appendRefusals },
    handle: (exchange, { rest }) => append(exchange, rest),
  }),
  operation({
    method: "DELETE",
    path: "/uploads{path}",
    id: "endUpload",
    verb: "remove",
    summary: "Give an upload up; a file at that path stays",
    login: true,
    headers: spoken,
    answers: { 204: { description: "It is gone" }, ...few },
    handle: (exchange, { rest }) => end(exchange, rest),
  }),
];

async function create(exchange: AuthenticatedExchange, rest: string): Promise<Response> {
  speakTus(exchange);
  const metadata = readMetadata(exchange.header("upload-metadata"));
  const path = target(rest, metadata.get("filename"));
  exchange.asked.path = path;
  const size = bytesIn(exchange, "upload-length") ?? null;
  if (size === null && exchange.header("upload-defer-length") !== "1") {
    throw new BargeError("usage", "Upload-Length is missing");
  }
  const modified = modifiedIn(metadata);
  refuseBusy(await partialUpload(exchange.session!, path));
  const upload = await receive(exchange.session!, {
    path,
    size,
    modified,
    overwrite: conditions(exchange),
    base: "fresh",
    announced: true,
    recorded: true,
  });
  const location = `${root}/uploads${encodePath(path)}`;
  const headers = await take(exchange, upload, size);
  return new Response(null, { status: 201, headers: { ...headers, location } });
}

/** @throws {BargeError} `usage` for a time that is not written as RFC 3339 has it */
function modifiedIn(metadata: ReadonlyMap<string, string>): number | null {
  const text = metadata.get("modified");
  if (!text) return null;
  const time = parseTime(text);
  if (time !== undefined) return time;
  throw new BargeError("usage", "the time in Upload-Metadata's `modified` is malformed", {
    hint: "as RFC 3339 has it: 2026-03-01T12:00:00Z",
  });
}

async function append(exchange: AuthenticatedExchange, rest: string): Promise<Response> {
  speakTus(exchange);
  const { path } = where(exchange, rest);
  const at = bytesIn(exchange, "upload-offset");
  if (at === undefined) throw new BargeError("usage", "Upload-Offset is missing");
  needType(exchange);
  const half = await known(exchange, path);
  if (isStaged(half)) refuseBusy(half); // it is checked, or becomes a file
  const size = half.size ?? bytesIn(exchange, "upload-length") ?? null;
  if (half.offset !== at && reported(half) !== at) throw elsewhere(reported(half));
  if (half.finished) return await repeatLast(exchange, half);
  const upload = await receive(exchange.session!, {
    path,
    size,
    modified: half.modified,
    overwrite: conditions(exchange),
    base: "staged",
    unread: true,
    recorded: true,
  });
  const again = upload.offset === half.offset && at < half.offset;
  if (!again && upload.offset !== at) {
    // One that was not there any more is not left behind as one that has just begun.
    await upload.detach(half.offset === 0);
    throw elsewhere(upload.offset);
  }
  return new Response(null, { status: 204, headers: await take(exchange, upload, size, at) });
}

/** Answers an append to an upload that is a file already. The append must be empty. */
async function repeatLast(exchange: Exchange, upload: Known): Promise<Response> {
  if ((await exchange.body.bytes()).length > 0) {
    throw new BargeError("usage", `the upload is finished, with ${upload.offset} bytes`);
  }
  return new Response(null, { status: 204, headers: headersOf(upload) });
}

/**
 * Receives a body, if there is one, and completes the upload if that was the rest of it.
 *
 * @param at where the body begins; what is staged from there on is sent again
 */
async function take(
  exchange: AuthenticatedExchange,
  upload: Incoming,
  size: number | null,
  at = 0,
): Promise<Record<string, string>> {
  const { body, session, door } = exchange;
  try {
    if (at < upload.offset) await upload.truncate(at);
    const sha256 = readDigest(exchange.header("repr-digest"));
    if (sha256 === null) throw new BargeError("usage", "the digest is malformed");
    if (body.length !== 0) await receiveChecked(exchange, upload);
    const offset = upload.offset;
    const done = { "upload-offset": String(offset) };
    if (offset === size) {
      return {
        ...done,
        // The client may have left. Its bytes become a file nevertheless, and it can look for that
        // later.
        ...committedHeaders(await upload.commit(sha256 ?? null, true, door.cut.signal)),
      };
    }
    await upload.detach(true);
    const half = await partialUpload(session!, exchange.asked.path);
    return half ? headersOf({ ...half, finished: false }) : done;
  } catch (error) {
    const { takenOver } = upload;
    const full = error instanceof BargeError &&
      (error.kind === "over-quota" || error.kind === "no-space");
    if (full) await upload.drop();
    else await upload.detach(true);
    // A status on which clients do not retry; else they would take the upload back in turn.
    if (takenOver) throw new Refusal(410, "unavailable", typed(error).message);
    throw error;
  }
}

/** A body whose checksum is wrong leaves the upload as it was. */
async function receiveChecked(exchange: Exchange, upload: Incoming): Promise<void> {
  needType(exchange);
  const checksum = readChecksum(exchange.header("upload-checksum"));
  const hash = checksum && createHash(checksum.algorithm);
  const before = upload.offset;
  await receiveInto(exchange, upload, (piece) => hash?.update(piece));
  const digest = hash?.digest();
  if (!checksum || !digest) return;
  const right = digest.length === checksum.digest.length &&
    timingSafeEqual(digest, checksum.digest);
  if (right) return;
  await upload.truncate(before);
  exchange.outgoing.statusMessage = "Checksum Mismatch";
  throw new Refusal(460, "digest", "the body is not what its checksum says");
}

async function end(exchange: AuthenticatedExchange, rest: string): Promise<Response> {
  speakTus(exchange);
  const { path } = where(exchange, rest);
  const upload = await known(exchange, path);
  if (upload.finished) {
    throw new BargeError("not-found", "the upload is finished, there is nothing to give up", {
      hint: "the file is removed with DELETE /api/v1/files",
    });
  }
  await dropPartialUpload(exchange.session!, path);
  return new Response(null, { status: 204 });
}

/** The path of an upload that begins: as it is, or a name in a folder. */
function target(rest: string, filename: string | undefined): string {
  const { path, folder } = treePath(rest);
  if (!folder) return path;
  if (filename === undefined) {
    throw new BargeError("usage", "which file? Upload-Metadata has no filename");
  }
  return `${path === "/" ? "/home" : path}/${filename}`;
}

/** An upload, or the file that it has become. */
interface Known extends PartialUpload {
  readonly finished: boolean;
}

async function known({ session }: AuthenticatedExchange, path: string): Promise<Known> {
  const half = await partialUpload(session, path);
  if (half) return { ...half, finished: false };
  const file = await finishedUpload(session!, path);
  if (file) return { ...file, offset: file.size, modified: null, busy: false, finished: true };
  throw new BargeError("not-found", "there is no half-finished upload", { path });
}

/** Returns whether all bytes have arrived of an upload that is not yet a file. */
function isStaged({ finished, offset, size }: Known): boolean {
  return !finished && offset > 0 && offset === size;
}

/** Returns the offset from which a client resumes. */
function reported(upload: Known): number {
  return isStaged(upload) ? upload.offset - 1 : upload.offset;
}

function headersOf(upload: Known): Record<string, string> {
  const { size, expires } = upload;
  return {
    "upload-offset": String(reported(upload)),
    ...size === null ? { "upload-defer-length": "1" } : { "upload-length": String(size) },
    "upload-expires": new Date(expires).toUTCString(),
    "cache-control": "no-store",
  };
}

function needType(exchange: Exchange): void {
  const type = exchange.header("content-type")?.split(";")[0].trim().toLowerCase();
  if (type === tusType) return;
  throw new Refusal(415, "usage", `the body must be ${tusType}`);
}

function refuseBusy(half: PartialUpload | undefined): void {
  if (!half?.busy) return;
  throw new Refusal(423, "unavailable", "another connection writes to this upload", {
    headers: { "retry-after": "5" },
  });
}

function elsewhere(offset: number): Refusal {
  return new Refusal(409, "usage", `the upload is at ${offset}`, {
    headers: { "upload-offset": String(offset) },
  });
}
