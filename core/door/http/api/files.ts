/** Operations on files and folders under /files: read, list, write, remove. */
import * as v from "valibot";
import { BargeError } from "../../../error.ts";
import { list } from "../../../session/list.ts";
import { Omitted } from "../../../session/omitted.ts";
import { remove } from "../../../session/remove.ts";
import { stat } from "../../../session/stat.ts";
import type { Entry } from "../../../protocol/message.ts";
import { attachment, sendArchive } from "../archive.ts";
import { etagOf } from "../condition.ts";
import { isFolder, sendFile } from "../download.ts";
import type { AuthenticatedExchange } from "../exchange.ts";
import { encodePath, split } from "../path.ts";
import { receiveFile, requestCondition } from "../upload.ts";
import { json, operation, root } from "./operation.ts";
import * as schemas from "./schemas.ts";

const filesUrl = `${root}/files`;

const readQuery = v.object({
  recursive: schemas.flag,
  archive: v.optional(v.picklist(["zip", "tar"])),
  download: schemas.flag,
  stat: schemas.flag,
});

export const files = [
  operation("GET", "/files{path}", {
    id: "read",
    verb: "get",
    summary: "Read a file, or list a folder",
    query: readQuery,
    headers: {
      "Range": "One range of bytes; several ranges are answered with the whole file",
      "If-Range": "The entity tag or time of the file that the range is from",
      "If-None-Match": "Entity tags that the client has",
      "Want-Repr-Digest": "`sha-256=1`: compute a digest if none is stored",
      "Want-Content-Digest": "`sha-256=1`: the same for the content, if that is the whole file",
      "Accept": "`application/x-ndjson`: a folder's entries, one a line, as they are read",
    },
    answers: {
      200: {
        description: "The file; for a folder, its entries or an archive",
        schema: v.union([schemas.listing, schemas.pathState]),
        types: ["*/*", "application/x-ndjson", "application/zip", "application/x-tar"],
        headers: {
          "ETag": "The SHA-256 of the file, in hex, in quotes",
          "Repr-Digest": "The SHA-256 of the whole file: RFC 9530",
        },
      },
      206: { description: "A part of the file", types: ["*/*"] },
      304: { description: "The client has the current file" },
    },
    problems: { 416: "The file does not have that range" },
    handle: read,
  }),
  operation("PUT", "/files{path}", {
    id: "write",
    verb: "put",
    summary: "Write a whole file",
    body: "bytes",
    headers: {
      "Expect": "`100-continue`: the server checks the quota before the body is sent",
      "If-Match": "Replace only a file with this entity tag",
      "If-None-Match": "`*`: replace nothing",
      "Repr-Digest": "`sha-256=:BASE64:`: other bytes are refused",
      "Last-Modified": "The time of the file",
    },
    answers: {
      200: { description: "The file was replaced", schema: schemas.written },
      201: { description: "The file was created", schema: schemas.written },
    },
    problems: {
      412: "The file does not meet If-Match or If-None-Match",
      507: "The quota or the disk is too small",
    },
    handle: write,
  }),
  operation("DELETE", "/files{path}", {
    id: "remove",
    verb: "remove",
    summary: "Remove a file or folder",
    query: v.object({ recursive: schemas.flag }),
    headers: { "If-Match": "Remove only a file with this entity tag" },
    answers: { 204: { description: "It was removed" } },
    problems: { 409: "The folder is not empty", 412: "The file does not meet If-Match" },
    async handle(exchange, { query }) {
      const { path } = exchange.pathBelow(filesUrl);
      const when = requestCondition(exchange);
      const check = typeof when === "function" ? when : undefined;
      await remove(exchange.session, path, query.recursive, check).catch((error) => {
        throw error instanceof BargeError && error.hint?.includes("-r")
          ? new BargeError(error.kind, error.message, { hint: "remove it with ?recursive" })
          : error;
      });
      return new Response(null, { status: 204 });
    },
  }),
];

async function read(
  exchange: AuthenticatedExchange,
  { query }: { query: v.InferOutput<typeof readQuery> },
): Promise<Response> {
  const { path, folder } = exchange.pathBelow(filesUrl);
  if (query.stat) {
    exchange.logEntry.verb = "stat";
    return json({ path, ...await stat(exchange.session, path) });
  }
  if (query.archive) return await sendArchive(exchange, path, query.archive);
  if (folder) return await listing(exchange, path, query.recursive);
  const disposition = { "content-disposition": attachment(split(path).name) };
  try {
    return await sendFile(exchange, path, query.download ? disposition : undefined);
  } catch (error) {
    if (isFolder(error)) return await listing(exchange, path, query.recursive);
    throw error;
  }
}

/** Lists a folder while it is read, so a large one is never in memory as a whole. */
async function listing(
  exchange: AuthenticatedExchange,
  path: string,
  recursive: boolean,
): Promise<Response> {
  exchange.logEntry.verb = "list";
  const { entry } = await stat(exchange.session, path);
  if (entry?.type === "file") {
    throw new BargeError("exists", "it is a file", { hint: "omit the slash at the end" });
  }
  const omitted = new Omitted();
  const batches = list(exchange.session, path, recursive, omitted);
  const lines = /\bapplication\/x-ndjson\b/.test(exchange.header("accept") ?? "");
  const text = lines ? asLines(batches) : asJson(path, batches, omitted);
  const headers = {
    "content-type": lines ? "application/x-ndjson" : "application/json",
    "cache-control": "no-store",
    "vary": "Accept",
  };
  return new Response(ReadableStream.from(text).pipeThrough(new TextEncoderStream()), { headers });
}

async function* asLines(batches: AsyncIterable<Entry[]>): AsyncGenerator<string> {
  for await (const batch of batches) {
    yield batch.map((entry) => `${JSON.stringify(entry)}\n`).join("");
  }
}

async function* asJson(
  path: string,
  batches: AsyncIterable<Entry[]>,
  omitted: Omitted,
): AsyncGenerator<string> {
  let separator = "";
  yield `{"path":${JSON.stringify(path)},"entries":[`;
  for await (const batch of batches) {
    if (batch.length === 0) continue;
    yield separator + batch.map((entry) => JSON.stringify(entry)).join(",");
    separator = ",";
  }
  const { omission } = omitted;
  yield omission ? `],"omitted":${JSON.stringify(omission)}}\n` : "]}\n";
}

async function write(exchange: AuthenticatedExchange): Promise<Response> {
  const { path, folder } = exchange.pathBelow(filesUrl);
  if (folder) {
    throw new BargeError("usage", "a file's path can't end in a slash", {
      hint: "create a folder with POST /api/v1/mkdir",
    });
  }
  const committed = await receiveFile(exchange, path);
  const { modified, ...facts } = committed;
  return json({ path, ...facts, modified: new Date(modified).toISOString() }, {
    status: committed.replaced ? 200 : 201,
    headers: { etag: etagOf(committed), location: `${filesUrl}${encodePath(path)}` },
  });
}
