/** What the door answers: the modules, and what is common to them. */
import { Hono } from "hono";
import { compress } from "hono/compress";
import { kinds } from "../../error.ts";
import { explain } from "../failure.ts";
import { api } from "./api/api.ts";
import { challenges } from "./auth.ts";
import type { Exchange, HttpEnv } from "./exchange.ts";
import { webdav } from "./dav/dav.ts";
import { ops } from "./monitoring.ts";
import { page } from "./page/page.tsx";
import { prefixHead } from "./prefix.ts";
import { nothing, problem, Refusal, statusOf } from "./problem.ts";
import { resource } from "./resource.ts";

export function makeApp(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use(compress(), prefixHead);
  app.onError((error, c) => failure(c.env, error));
  app.notFound((c) => failure(c.env, nothing()));
  app.route("/", ops());
  app.route("/api/v1", api());
  app.route("/", webdav());
  app.route("/", page());
  resource(app, "/problems/:kind", { GET: (c) => explained(c.req.param("kind") ?? "") });
  return app;
}

/** The answers of a door that is for the metrics alone. */
export function makeMetricsApp(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.onError((error, c) => failure(c.env, error));
  app.notFound((c) => failure(c.env, nothing()));
  app.route("/", ops({ open: true }));
  return app;
}

/** Answers a failure; what only the operator can mend is in the log. */
export function failure(exchange: Exchange, error: unknown): Response {
  const { method: op, path } = { method: exchange.method, path: exchange.asked.path };
  const failed = explain(error, { op, path: path.slice(0, 3000) });
  exchange.failed = failed;
  const response = problem(failed, exchange.door.front.prefix);
  if (statusOf(failed) === 401) response.headers.set("www-authenticate", challenges(exchange));
  return response;
}

/** What the `type` of a problem leads to. */
function explained(kind: string): Response {
  if (!Object.hasOwn(kinds, kind)) throw new Refusal(404, "not-found", "there is no such problem");
  return new Response(`${kind}: ${kinds[kind as keyof typeof kinds]}\n`);
}
