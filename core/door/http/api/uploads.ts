/**
 * Uploads that resume, by tus 1.0.0. An upload's URL is /uploads and its file's path: it is the one
 * unfinished upload that the account has to that path, at every door. What `barge put` began, a tus
 * client goes on with, and the other way round; restarts and other workers don't matter, since all
 * that is known of it is in the database. PATCH takes an upload over from a connection that still
 * writes it, who is answered 410; DELETE ends it for that connection, too; only POST, which would begin
 * another one, is answered 423 while it moves.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { BargeError, typed } from "../../../error.ts";
import { put } from "../../../session/put.ts";
import { dropUnfinished, type Unfinished, unfinished } from "../../../session/unfinished.ts";
import type { Upload } from "../../../session/upload.ts";
import { readDigest } from "../digest_field.ts";
import type { Exchange } from "../exchange.ts";
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
        description: "It can go on there",
        schema: schemas.unfinished,
        headers: { "Upload-Offset": "Bytes that are there", "Upload-Length": "Bytes of the whole" },
      },
      404: refusals[404],
    },
    handle(exchange, { rest }) {
      speakTus(exchange);
      const { path } = where(exchange, rest);
      const half = known(exchange, path);
      const { offset, size } = half;
      const expires = new Date(half.expires).toISOString();
      return json({ path, offset, size, expires }, { headers: headersOf(half) });
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

async function create(exchange: Exchange, rest: string): Promise<Response> {
  speakTus(exchange);
  const metadata = readMetadata(exchange.header("upload-metadata"));
  const path = target(rest, metadata.get("filename"));
  exchange.asked.path = path;
  const size = bytesIn(exchange, "upload-length") ?? null;
  if (size === null && exchange.header("upload-defer-length") !== "1") {
    throw new BargeError("usage", "Upload-Length is missing");
  }
  const time = Date.parse(metadata.get("modified") ?? "");
  const modified = Number.isNaN(time) ? null : time;
  refuseBusy(unfinished(exchange.session!, path));
  const overwrite = conditions(exchange);
  const request = { path, size, modified, overwrite, base: "fresh" } as const;
  const upload = await put(exchange.session!, request);
  const location = `${root}/uploads${encodePath(path)}`;
  const headers = await take(exchange, upload, size);
  return new Response(null, { status: 201, headers: { ...headers, location } });
}

async function append(exchange: Exchange, rest: string): Promise<Response> {
  speakTus(exchange);
  const { path } = where(exchange, rest);
  const at = bytesIn(exchange, "upload-offset");
  if (at === undefined) throw new BargeError("usage", "Upload-Offset is missing");
  needType(exchange);
  const half = known(exchange, path);
  const size = half.size ?? bytesIn(exchange, "upload-length") ?? null;
  if (half.offset !== at) throw elsewhere(half.offset);
  const overwrite = conditions(exchange);
  const { modified } = half;
  const request = { path, size, modified, overwrite, base: "staged", unread: true } as const;
  const upload = await put(exchange.session!, request);
  if (upload.offset !== at) {
    await upload.detach(true);
    throw elsewhere(upload.offset);
  }
  return new Response(null, { status: 204, headers: await take(exchange, upload, size) });
}

/** Receives a body, if there is one, and completes the upload if that was the rest of it. */
async function take(
  exchange: Exchange,
  upload: Upload,
  size: number | null,
): Promise<Record<string, string>> {
  const { body, session, ended } = exchange;
  try {
    const sha256 = readDigest(exchange.header("repr-digest"));
    if (sha256 === null) throw new BargeError("usage", "the digest is malformed");
    if (body.length !== 0) await receiveChecked(exchange, upload);
    const offset = upload.offset;
    const done = { "upload-offset": String(offset) };
    if (offset === size) {
      return {
        ...done,
        ...committedHeaders(await upload.commit(sha256 ?? null, true, ended.signal)),
      };
    }
    await upload.detach(true);
    const half = unfinished(session!, exchange.asked.path);
    return half ? headersOf(half) : done;
  } catch (error) {
    const { takenOver } = upload;
    const full = error instanceof BargeError &&
      (error.kind === "over-quota" || error.kind === "no-space");
    if (full) await upload.drop();
    else await upload.detach(true);
    // Not one that clients answer by trying again: they would take it back, and so on.
    if (takenOver) throw new Refusal(410, "unavailable", typed(error).message);
    throw error;
  }
}

/** A body whose checksum is wrong leaves the upload as it was. */
async function receiveChecked(exchange: Exchange, upload: Upload): Promise<void> {
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

async function end(exchange: Exchange, rest: string): Promise<Response> {
  speakTus(exchange);
  const { path } = where(exchange, rest);
  await dropUnfinished(exchange.session!, path);
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

function known({ session }: Exchange, path: string): Unfinished {
  const half = unfinished(session!, path);
  if (half) return half;
  throw new BargeError("not-found", "there is no half-finished upload", { path });
}

function headersOf({ offset, size, expires }: Unfinished): Record<string, string> {
  return {
    "upload-offset": String(offset),
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

function refuseBusy(half: Unfinished | undefined): void {
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
