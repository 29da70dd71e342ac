/**
 * WebDAV under /dav/: RFC 4918, classes 1 and 2, and the quotas of RFC 4331. Its paths are those of the
 * tree; like every door, it decides nothing on accounts, quota or paths.
 */
import { Hono } from "hono";
import { requireLogin } from "../auth.ts";
import type { AuthenticatedExchange, HttpEnv } from "../exchange.ts";
import { type Handler, resource } from "../resource.ts";
import { copyMember, moveMember } from "./copy_move.ts";
import { lockMember, unlockMember } from "./lock.ts";
import { makeFolder, read, removeMember, write } from "./member.ts";
import { preconditionResponse } from "./precondition.ts";
import { propfind } from "./propfind.ts";
import { proppatch } from "./proppatch.ts";

type MethodHandler = (exchange: AuthenticatedExchange) => Promise<Response>;

/** The methods, with their verb in the access log and the metrics. */
const methods: Readonly<Record<string, readonly [verb: string, MethodHandler]>> = {
  GET: ["get", read],
  PUT: ["put", write],
  DELETE: ["remove", removeMember],
  MKCOL: ["mkdir", makeFolder],
  COPY: ["copy", copyMember],
  MOVE: ["move", moveMember],
  PROPFIND: ["list", propfind],
  PROPPATCH: ["proppatch", proppatch],
  LOCK: ["lock", lockMember],
  UNLOCK: ["unlock", unlockMember],
};

const optionsHeaders = {
  "dav": "1, 2",
  "ms-author-via": "DAV", // Windows and Office need it to recognize WebDAV
  "allow": ["OPTIONS", "HEAD", ...Object.keys(methods)].join(", "),
  "content-length": "0",
};

export function webdav(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.onError((error, c) => preconditionResponse(c.env, error));
  // Clients send OPTIONS before a login, and to the server's root, to find out about WebDAV.
  const options = () => new Response(null, { status: 200, headers: optionsHeaders });
  const handlers: Record<string, Handler> = { OPTIONS: options };
  for (const [method, [verb, handle]] of Object.entries(methods)) {
    handlers[method] = async ({ env: exchange }) => {
      exchange.logEntry.verb = verb;
      return await handle(await requireLogin(exchange));
    };
  }
  app.on("OPTIONS", "/", options);
  resource(app, "/dav", handlers);
  resource(app, "/dav/*", handlers);
  return app;
}
