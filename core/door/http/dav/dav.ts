/**
 * WebDAV under /dav/: RFC 4918, classes 1 and 2, and the quotas of RFC 4331. Its paths are the tree's,
 * as at every door; it decides nothing on accounts, quota or paths.
 */
import { Hono } from "hono";
import { requireLogin } from "../auth.ts";
import type { AuthenticatedExchange, Exchange, HttpEnv } from "../exchange.ts";
import { type Handler, resource } from "../resource.ts";
import { copyMember, moveMember } from "./copy_move.ts";
import { lockMember, unlockMember } from "./lock.ts";
import { makeFolder, read, take, write } from "./member.ts";
import { explained } from "./precondition.ts";
import { propfind } from "./propfind.ts";
import { proppatch } from "./proppatch.ts";

type Work = (exchange: AuthenticatedExchange) => Promise<Response>;

/** By method: what it is called in the access log and the metrics, and what does it. */
const verbs: Readonly<
  Record<string, readonly [verb: string, Work]>
> = {
  GET: ["get", read],
  PUT: ["put", write],
  DELETE: ["remove", take],
  MKCOL: ["mkdir", makeFolder],
  COPY: ["copy", copyMember],
  MOVE: ["move", moveMember],
  PROPFIND: ["list", propfind],
  PROPPATCH: ["proppatch", proppatch],
  LOCK: ["lock", lockMember],
  UNLOCK: ["unlock", unlockMember],
};

const capable = {
  "dav": "1, 2",
  "ms-author-via": "DAV", // without it, Windows and Office take it for something else
  "allow": ["OPTIONS", "HEAD", ...Object.keys(verbs)].join(", "),
  "content-length": "0",
};

export function webdav(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  // Asked before a login, of the server's root too, by clients that look for WebDAV at all.
  const options = () => new Response(null, { status: 200, headers: capable });
  const handlers: Record<string, Handler> = { OPTIONS: options };
  for (const [method, [verb, work]] of Object.entries(verbs)) {
    handlers[method] = (c) => {
      c.env.asked.verb = verb;
      return carry(c.env, work);
    };
  }
  app.on("OPTIONS", "/", options);
  resource(app, "/dav", handlers);
  resource(app, "/dav/*", handlers);
  return app;
}

async function carry(exchange: Exchange, work: Work): Promise<Response> {
  try {
    return await work(await requireLogin(exchange));
  } catch (error) {
    const response = explained(exchange, error);
    if (response) return response;
    throw error;
  }
}
