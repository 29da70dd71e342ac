/** Answers requests by the modules of the door, and failures. */
import { Hono } from "hono";
import { kinds } from "../../error.ts";
import type { DoorSpec } from "../door.ts";
import { explain } from "../failure.ts";
import { api } from "./api/api.ts";
import { challenges } from "./auth.ts";
import { compressText } from "./compress.ts";
import { answerFile } from "./file_url.ts";
import type { Exchange, Head, HttpEnv } from "./exchange.ts";
import { webdav } from "./dav/dav.ts";
import { monitoring } from "./monitoring.ts";
import { page } from "./page/page.tsx";
import { prefixHead } from "./prefix.ts";
import { problem, Refusal, statusOf, unknownUrl } from "./problem.ts";
import { resource } from "./resource.ts";

type Parts = Pick<DoorSpec, "metricsOnly" | "challengesOnly">;

/** Answers a request. @throws {BargeError} for a failure that the caller answers */
export type App = (exchange: Exchange) => Promise<Response | Head>;

/** Makes the app of a door. */
export function makeApp(parts: Parts): App {
  const router = makeRouter(parts);
  const hasFiles = !parts.metricsOnly && !parts.challengesOnly;
  return async (exchange) => {
    const head = hasFiles ? await answerFile(exchange) : undefined;
    return head ?? await router.fetch(requestOf(exchange), exchange);
  };
}

function requestOf(exchange: Exchange): Request {
  const { method, incoming, target: { path, query } } = exchange;
  const headers = new Headers();
  for (const name in incoming.headers) headers.set(name, exchange.header(name) ?? "");
  return new Request(`http://barge${path}${query && `?${query}`}`, { method, headers });
}

function makeRouter({ metricsOnly = false, challengesOnly = false }: Parts): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.onError((error, c) => failure(c.env, error));
  app.notFound((c) => failure(c.env, unknownUrl()));
  if (challengesOnly) return app; // challenges are answered before
  if (!metricsOnly) app.use(compressText, prefixHead);
  app.route("/", monitoring(metricsOnly));
  if (metricsOnly) return app;
  app.route("/api/v1", api());
  app.route("/", webdav());
  app.route("/", page());
  resource(app, "/problems/:kind", { GET: (c) => explainKind(c.req.param("kind") ?? "") });
  return app;
}

const maxProblemPathLength = 3000;

/** Answers a failure. The log has the details that only operators may see. */
export function failure(exchange: Exchange, error: unknown): Response {
  const { method: op, logEntry: { path } } = exchange;
  const failed = explain(error, { op, path: path.slice(0, maxProblemPathLength) });
  exchange.failed = failed;
  const response = problem(failed, exchange.door.proxy.prefix);
  if (statusOf(failed) === 401) response.headers.set("www-authenticate", challenges(exchange));
  return response;
}

/** Explains a kind of failure, at the URL in the `type` of a problem. */
function explainKind(kind: string): Response {
  if (!Object.hasOwn(kinds, kind)) throw new Refusal(404, "not-found", "there is no such problem");
  return new Response(`${kind}: ${kinds[kind as keyof typeof kinds]}\n`);
}
