/**
 * Resumable uploads by tus 1.0.0. An upload's URL is /uploads and its file's path. An account has one
 * partial upload for each path, at every door: a tus client can resume an upload of `barge put`, and the
 * reverse. PATCH and DELETE take an upload over from a connection that still writes it; the request of that
 * connection fails with 410. POST, which would begin another upload, fails with 423 while bytes arrive.
 *
 * Clients take `Upload-Offset` equal to `Upload-Length` for success, also in the response to HEAD. So
 * only a file is reported with all of its bytes:
 *
 *   a file      all bytes, as long as the file at the path is this upload's: a client may have lost the
 *               last response
 *   checked     423: the client asks again
 *   all staged  one byte less, if the commit failed or was cut off: the client sends that byte again,
 *               with its conditions, and gets the response of the repeated commit
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { counted } from "../../../counted.ts";
import { BargeError, typed } from "../../../error.ts";
import type { Incoming } from "../../../upload/incoming.ts";
import {
  dropPartialUpload,
  finishedUpload,
  type PartialUpload,
  partialUpload,
} from "../../../upload/partial_upload.ts";
import { receive } from "../../../upload/receive.ts";
import { etagOf } from "../condition.ts";
import { readDigest } from "../digest_field.ts";
import type { AuthenticatedExchange, Exchange } from "../exchange.ts";
import { encodePath, type TreePath } from "../path.ts";
import { Refusal } from "../problem.ts";
import { receiveInto, requestCondition } from "../upload.ts";
import { json, operation, root, timeIn } from "./operation.ts";
import * as schemas from "./schemas.ts";
import {
  bytesIn,
  checkTusVersion,
  readChecksum,
  readMetadata,
  tusAbilities,
  tusType,
} from "./tus.ts";

const uploadsUrl = `${root}/uploads`;
const versionHeader = { "Tus-Resumable": "`1.0.0`" };
const bodyHeaders = {
  ...versionHeader,
  "Upload-Checksum": "`sha256`, `sha1` or `md5`, and the digest of this body in Base64",
  "Repr-Digest": "With the last bytes: the digest of the whole file",
};
const endProblems = {
  404: "There is no such upload",
  409: "The upload is at another offset",
  412: "The file does not meet If-Match or If-None-Match",
  507: "The quota or the disk is too small",
};
const appendProblems = {
  ...endProblems,
  410: "A newer connection has taken the upload over",
  415: `The body is not ${tusType}`,
  460: "The body does not match its checksum",
};

export const uploads = [
  operation("OPTIONS", "/uploads{path}", {
    id: "uploadAbilities",
    summary: "Get the server's abilities of tus",
    login: false,
    answers: { 204: { description: "The abilities, in the headers" } },
    handle(exchange) {
      exchange.outgoing.setHeader("tus-resumable", "1.0.0");
      return new Response(null, { status: 204, headers: tusAbilities });
    },
  }),
  operation("POST", "/uploads{path}", {
    id: "createUpload",
    verb: "put",
    summary: "Begin an upload to a file's path, or into a folder, whose path ends in a slash",
    body: "bytes",
    headers: {
      ...bodyHeaders,
      "Upload-Length": "Bytes of the whole file",
      "Upload-Defer-Length": "`1`: the length is not known yet",
      "Upload-Metadata": "`filename`, if the path is a folder's; `modified`, as in RFC 3339",
      "If-None-Match": "`*`: replace nothing",
    },
    answers: {
      201: { description: "The upload has begun", headers: { "Location": "The upload's URL" } },
    },
    problems: { ...appendProblems, 423: "Another connection writes to it" },
    handle(exchange) {
      const override = exchange.header("x-http-method-override")?.toUpperCase();
      return (override === "PATCH" ? append : override === "DELETE" ? deleteUpload : create)(
        exchange,
      );
    },
  }),
  operation("GET", "/uploads{path}", {
    id: "upload",
    verb: "stat",
    summary: "Get the offset of an upload; HEAD has it in the headers",
    headers: versionHeader,
    answers: {
      200: {
        description: "The offset to resume from; equal to the size once the upload is a file",
        schema: schemas.partialUpload,
        headers: { "Upload-Offset": "Bytes that are staged", "Upload-Length": "Bytes of the file" },
      },
    },
    problems: {
      404: endProblems[404],
      423: "All bytes are staged, and the upload is being committed",
    },
    async handle(exchange) {
      checkTusVersion(exchange);
      const { path } = exchange.pathBelow(uploadsUrl);
      const upload = await knownUpload(exchange, path);
      if (isStaged(upload)) refuseBusy(upload);
      const { size } = upload;
      const expires = new Date(upload.expires).toISOString();
      const facts = { path, offset: reportedOffset(upload), size, expires };
      return json(facts, { headers: headersOf(upload) });
    },
  }),
  operation("PATCH", "/uploads{path}", {
    id: "appendToUpload",
    verb: "put",
    summary: "Append bytes; the last ones make the upload a file",
    body: "bytes",
    headers: { ...bodyHeaders, "Upload-Offset": "The upload's offset" },
    answers: { 204: { description: "The bytes are staged" } },
    problems: appendProblems,
    handle: append,
  }),
  operation("DELETE", "/uploads{path}", {
    id: "endUpload",
    verb: "remove",
    summary: "Delete a partial upload; a file at that path stays",
    headers: versionHeader,
    answers: { 204: { description: "The upload was deleted" } },
    problems: endProblems,
    handle: deleteUpload,
  }),
];

async function create(exchange: AuthenticatedExchange): Promise<Response> {
  checkTusVersion(exchange);
  const metadata = readMetadata(exchange.header("upload-metadata"));
  const path = targetPath(exchange.pathBelow(uploadsUrl), metadata.get("filename"));
  exchange.logEntry.path = path;
  const size = bytesIn(exchange, "upload-length") ?? null;
  if (size === null && exchange.header("upload-defer-length") !== "1") {
    throw new BargeError("usage", "Upload-Length is missing");
  }
  const time = metadata.get("modified");
  const modified = time ? timeIn(time, "`modified` in Upload-Metadata") : null;
  refuseBusy(await partialUpload(exchange.session, path));
  const upload = await receive(exchange.session, {
    path,
    size,
    modified,
    overwrite: requestCondition(exchange),
    base: "fresh",
    announced: true,
    recorded: true,
  });
  const location = `${uploadsUrl}${encodePath(path)}`;
  const headers = await receiveBody(exchange, upload, size);
  return new Response(null, { status: 201, headers: { ...headers, location } });
}

async function append(exchange: AuthenticatedExchange): Promise<Response> {
  checkTusVersion(exchange);
  const { path } = exchange.pathBelow(uploadsUrl);
  const at = bytesIn(exchange, "upload-offset");
  if (at === undefined) throw new BargeError("usage", "Upload-Offset is missing");
  exchange.body.expect(tusType);
  const current = await knownUpload(exchange, path);
  if (isStaged(current)) refuseBusy(current); // it is being committed
  const size = current.size ?? bytesIn(exchange, "upload-length") ?? null;
  if (current.offset !== at && reportedOffset(current) !== at) {
    throw otherOffset(reportedOffset(current));
  }
  if (current.finished) return await repeatLast(exchange, current);
  const upload = await receive(exchange.session, {
    path,
    size,
    modified: current.modified,
    overwrite: requestCondition(exchange),
    base: "staged",
    unread: true,
    recorded: true,
  });
  const repeats = upload.offset === current.offset && at < current.offset;
  if (!repeats && upload.offset !== at) {
    // If the upload ended meanwhile, `receive` began a new one, which is not kept.
    await upload.detach(current.offset === 0);
    throw otherOffset(upload.offset);
  }
  return new Response(null, {
    status: 204,
    headers: await receiveBody(exchange, upload, size, at),
  });
}

/** Answers an empty append to an upload that is a file already. */
async function repeatLast(exchange: Exchange, upload: KnownUpload): Promise<Response> {
  if ((await exchange.body.bytes()).length > 0) {
    throw new BargeError("usage", `the upload is finished, with ${counted(upload.offset, "byte")}`);
  }
  return new Response(null, { status: 204, headers: headersOf(upload) });
}

/**
 * Receives a body, if there is one, and commits the upload if it is complete.
 *
 * @param at the offset of the body; staged bytes after it are dropped, since the client sends them again
 */
async function receiveBody(
  exchange: AuthenticatedExchange,
  upload: Incoming,
  size: number | null,
  at = 0,
): Promise<Record<string, string>> {
  const { body, session, door } = exchange;
  try {
    if (at < upload.offset) await upload.truncate(at);
    const sha256 = readDigest(exchange.header("repr-digest"));
    if (body.length !== 0) await receiveChecked(exchange, upload);
    const offset = upload.offset;
    const done = { "upload-offset": String(offset) };
    if (offset === size) {
      // The commit goes on without the client, which can ask for the result later.
      const file = await upload.commit(sha256 ?? null, true, door.cut.signal);
      return { ...done, etag: etagOf(file) };
    }
    await upload.detach(true);
    const partial = await partialUpload(session, exchange.logEntry.path);
    return partial ? headersOf({ ...partial, finished: false }) : done;
  } catch (error) {
    const { takenOver } = upload;
    const full = error instanceof BargeError &&
      (error.kind === "over-quota" || error.kind === "no-space");
    if (full) await upload.drop();
    else await upload.detach(true);
    // Clients do not retry after 410; else two clients would take the upload from each other.
    if (takenOver) throw new Refusal(410, "unavailable", typed(error).message);
    throw error;
  }
}

/** Receives a body, and removes its bytes again if they do not match its checksum. */
async function receiveChecked(exchange: Exchange, upload: Incoming): Promise<void> {
  exchange.body.expect(tusType);
  const checksum = readChecksum(exchange.header("upload-checksum"));
  const hash = checksum && createHash(checksum.algorithm);
  const before = upload.offset;
  await receiveInto(exchange, upload, (piece) => hash?.update(piece));
  const digest = hash?.digest();
  if (!checksum || !digest) return;
  const matches = digest.length === checksum.digest.length &&
    timingSafeEqual(digest, checksum.digest);
  if (matches) return;
  await upload.truncate(before);
  exchange.outgoing.statusMessage = "Checksum Mismatch";
  throw new Refusal(460, "digest", "the body does not match its checksum");
}

async function deleteUpload(exchange: AuthenticatedExchange): Promise<Response> {
  checkTusVersion(exchange);
  const { path } = exchange.pathBelow(uploadsUrl);
  const upload = await knownUpload(exchange, path);
  if (upload.finished) {
    throw new BargeError("not-found", "the upload is a file already", {
      hint: "remove the file with DELETE /api/v1/files",
    });
  }
  await dropPartialUpload(exchange.session, path);
  return new Response(null, { status: 204 });
}

/** Returns the path of a new upload: the URL's path, or a name in its folder. */
function targetPath({ path, folder }: TreePath, filename: string | undefined): string {
  if (!folder) return path;
  if (filename === undefined) {
    throw new BargeError("usage", "Upload-Metadata has no filename, and the path is a folder's");
  }
  return `${path === "/" ? "/home" : path}/${filename}`;
}

/** A partial upload, or one that has become a file. */
interface KnownUpload extends PartialUpload {
  readonly finished: boolean;
}

async function knownUpload({ session }: AuthenticatedExchange, path: string): Promise<KnownUpload> {
  const partial = await partialUpload(session, path);
  if (partial) return { ...partial, finished: false };
  const file = await finishedUpload(session, path);
  if (file) return { ...file, offset: file.size, modified: null, busy: false, finished: true };
  throw new BargeError("not-found", "there is no partial upload", { path });
}

/** Returns whether all bytes have arrived of an upload that is not yet a file. */
function isStaged({ finished, offset, size }: KnownUpload): boolean {
  return !finished && offset > 0 && offset === size;
}

/** Returns the offset from which a client resumes. */
function reportedOffset(upload: KnownUpload): number {
  return isStaged(upload) ? upload.offset - 1 : upload.offset;
}

function headersOf(upload: KnownUpload): Record<string, string> {
  const { size, expires } = upload;
  const length: Record<string, string> = size === null
    ? { "upload-defer-length": "1" }
    : { "upload-length": String(size) };
  return {
    ...length,
    "upload-offset": String(reportedOffset(upload)),
    "upload-expires": new Date(expires).toUTCString(),
    "cache-control": "no-store",
  };
}

function refuseBusy(upload: PartialUpload | undefined): void {
  if (!upload?.busy) return;
  throw new Refusal(423, "unavailable", "another connection writes to this upload", {
    headers: { "retry-after": "5" },
  });
}

function otherOffset(offset: number): Refusal {
  return new Refusal(409, "usage", `the upload is at ${offset}`, {
    headers: { "upload-offset": String(offset) },
  });
}
