/** Files and folders under /files: reading, listing, writing, removing. */
import * as v from "valibot";
import { BargeError } from "../../../error.ts";
import { list } from "../../../session/list.ts";
import { Omitted } from "../../../local/omitted.ts";
import { remove } from "../../../session/remove.ts";
import { stat } from "../../../session/stat.ts";
import type { Committed } from "../../../upload/upload.ts";
import type { Entry } from "../../../protocol/message.ts";
import { attachment, sendArchive } from "../archive.ts";
import { sendFile } from "../download.ts";
import type { AuthenticatedExchange, Exchange } from "../exchange.ts";
import { encodePath, type TreePath, treePath } from "../path.ts";
import { Refusal } from "../problem.ts";
import { committedHeaders, conditions, receiveFile } from "../upload.ts";
import { json, operation, root } from "./operation.ts";
import * as schemas from "./schemas.ts";

const reading = v.object({
  recursive: schemas.flag,
  archive: v.optional(v.picklist(["zip", "tar"])),
  download: schemas.flag,
  stat: schemas.flag,
});

export const files = [
  operation({
    method: "GET",
    path: "/files{path}",
    id: "read",
    verb: "get",
    summary: "A file's bytes, or a folder's entries",
    login: true,
    query: reading,
    headers: {
      "Range": "One range of bytes; several at once are answered with the whole",
      "If-Range": "The entity tag, or the time, that the range is of",
      "If-None-Match": "Entity tags that the client has",
      "Want-Repr-Digest": "`sha-256=1` has a digest computed where none is stored",
      "Want-Content-Digest": "`sha-256=1`: the same for the content, where that is the whole file",
      "Accept": "`application/x-ndjson`: a folder's entries one a line, as they are read",
    },
    answers: {
      200: {
        description: "The file; for a folder its entries, or an archive of it",
        schema: v.union([schemas.listing, schemas.standing]),
        types: ["*/*", "application/x-ndjson", "application/zip", "application/x-tar"],
        headers: {
          "ETag": "The SHA-256 of the file, in hex, in quotes",
          "Repr-Digest": "The SHA-256 of the whole file: RFC 9530",
        },
      },
      206: { description: "A part of the file", types: ["*/*"] },
      304: { description: "The client has it" },
      416: { description: "The file does not have that range", schema: schemas.problem },
    },
    handle: read,
  }),
  operation({
    method: "PUT",
    path: "/files{path}",
    id: "write",
    verb: "put",
    summary: "Write a whole file",
    login: true,
    body: "bytes",
    headers: {
      "Expect": "`100-continue`: what has no room is refused before it is sent",
      "If-Match": "Replace only a file with this entity tag",
      "If-None-Match": "`*`: replace nothing",
      "Repr-Digest": "`sha-256=:BASE64:`: what arrives otherwise is refused",
      "Last-Modified": "The time that the file is to have",
    },
    answers: {
      200: { description: "The file was replaced", schema: schemas.written },
      201: { description: "The file was made", schema: schemas.written },
      412: {
        description: "The file is not as If-Match or If-None-Match have it",
        schema: schemas.problem,
      },
      507: { description: "There is no room for it", schema: schemas.problem },
    },
    handle: write,
  }),
  operation({
    method: "DELETE",
    path: "/files{path}",
    id: "remove",
    verb: "remove",
    summary: "Remove a file or folder",
    login: true,
    query: v.object({ recursive: schemas.flag }),
    headers: { "If-Match": "Remove only a file with this entity tag" },
    answers: {
      204: { description: "It is gone" },
      409: { description: "It is a folder that is not empty", schema: schemas.problem },
      412: { description: "The file is not as If-Match has it", schema: schemas.problem },
    },
    async handle(exchange, { rest, query }) {
      const { path } = where(exchange, rest);
      const when = conditions(exchange);
      const check = typeof when === "function" ? when : undefined;
      await remove(exchange.session!, path, query.recursive, check).catch((error) => {
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
  { query, rest }: { query: v.InferOutput<typeof reading>; rest: string },
): Promise<Response> {
  const { path, folder } = where(exchange, rest);
  if (query.stat) {
    exchange.asked.verb = "stat";
    return json({ path, ...stat(exchange.session!, path) });
  }
  if (query.archive) return await sendArchive(exchange, path, query.archive);
  if (folder) return listing(exchange, path, query.recursive);
  const name = path.slice(path.lastIndexOf("/") + 1);
  try {
    return await sendFile(exchange, path, {
      ...query.download && { "content-disposition": attachment(name) },
    });
  } catch (error) {
    const isFolder = error instanceof BargeError && error.kind === "exists" &&
      !(error instanceof Refusal);
    if (isFolder) return listing(exchange, path, query.recursive);
    throw error;
  }
}

/** As they are read: neither here nor on the way is a large folder held whole. */
function listing(exchange: AuthenticatedExchange, path: string, recursive: boolean): Response {
  exchange.asked.verb = "list";
  const { entry } = stat(exchange.session!, path);
  if (entry?.type === "file") {
    throw new BargeError("exists", "it is a file", { hint: "leave out the slash at the end" });
  }
  const omitted = new Omitted();
  const batches = list(exchange.session!, path, recursive, omitted);
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

async function write(
  exchange: AuthenticatedExchange,
  { rest }: { rest: string },
): Promise<Response> {
  const { path, folder } = where(exchange, rest);
  if (folder) {
    throw new BargeError("usage", "a file's name does not end in a slash", {
      hint: "a folder is made with POST /api/v1/mkdir",
    });
  }
  const committed = await receiveFile(exchange, path);
  return json(writtenFacts(path, committed), {
    status: committed.replaced ? 200 : 201,
    headers: { ...committedHeaders(committed), location: `${root}/files${encodePath(path)}` },
  });
}

/** What is told of a file that was written. */
export function writtenFacts(path: string, { modified, ...facts }: Committed) {
  return { path, ...facts, modified: new Date(modified).toISOString() };
}

/** The path that is asked for, which the access log is to have. */
export function where(exchange: Exchange, rest: string): TreePath {
  const where = treePath(rest);
  exchange.asked.path = where.path;
  return where;
}
