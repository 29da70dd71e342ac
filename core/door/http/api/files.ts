/** Files under /files: reading, writing, removing. */
import type { Hono } from "hono";
import { BargeError } from "../../../error.ts";
import { remove } from "../../../session/remove.ts";
import { sendFile } from "../download.ts";
import type { Exchange, HttpEnv } from "../exchange.ts";
import { encodePath, treePath } from "../path.ts";
import { resource } from "../resource.ts";
import { committedHeaders, receiveFile } from "../upload.ts";

const prefix = "/api/v1/files";

export function addFiles(app: Hono<HttpEnv>): void {
  const handlers = {
    GET: (c: { env: Exchange }) => read(c.env),
    PUT: (c: { env: Exchange }) => write(c.env),
    DELETE: (c: { env: Exchange }) => take(c.env),
  };
  resource(app, "/files", handlers);
  resource(app, "/files/*", handlers);
}

async function read(exchange: Exchange): Promise<Response> {
  const { path } = where(exchange);
  return await sendFile(exchange, path);
}

async function write(exchange: Exchange): Promise<Response> {
  const { path, folder } = where(exchange);
  if (folder) {
    throw new BargeError("usage", "a file's name does not end in a slash", {
      hint: "a folder is made with POST and ?mkdir",
    });
  }
  const committed = await receiveFile(exchange, path);
  const { size, sha256, modified, replaced } = committed;
  const headers = { ...committedHeaders(committed), location: prefix + encodePath(path) };
  const facts = { path, size, sha256, modified: new Date(modified).toISOString(), replaced };
  return Response.json(facts, { status: replaced ? 200 : 201, headers });
}

async function take(exchange: Exchange): Promise<Response> {
  const { path, folder } = where(exchange);
  await remove(exchange.session!, path, folder);
  return new Response(null, { status: 204 });
}

/** The path that is asked for. */
function where(exchange: Exchange) {
  const where = treePath(exchange.target.path.slice(prefix.length));
  exchange.asked.path = where.path;
  return where;
}
