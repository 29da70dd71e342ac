/**
 * Operations of the API. One row has an operation's URL, whether it needs a login, its input, its
 * responses and its handler. The router and the description are both made of these rows.
 */
import type { Hono } from "hono";
import type * as v from "valibot";
import { BargeError } from "../../../error.ts";
import { parseTime } from "../../../protocol/time.ts";
import { requireLogin } from "../auth.ts";
import { fit } from "../body.ts";
import type { Verb } from "../../../protocol/message.ts";
import type { AuthenticatedExchange, Exchange, HttpEnv } from "../exchange.ts";
import { type Handler, resource } from "../resource.ts";

/** A schema of all fields of a query. */
type Query = v.GenericSchema<Record<string, unknown>>;

/** A response: JSON of a schema, or bytes of a media type. */
export interface Answer {
  readonly description: string;
  readonly schema?: v.GenericSchema;
  readonly types?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** @typeParam Login if true, the handler gets an exchange with a login */
interface Row<Q extends Query, B extends v.GenericSchema, Login extends boolean> {
  readonly id: string;
  /** The verb in the access log and the metrics; default: the method. */
  readonly verb?: Verb;
  readonly summary: string;
  /** Default: true. */
  readonly login?: Login;
  readonly query?: Q;
  /** The schema of a JSON body; `bytes` if the handler reads the body. */
  readonly body?: B | "bytes";
  /** Descriptions of request headers with a meaning of their own. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Descriptions of failures, by status. */
  readonly problems?: Readonly<Record<number, string>>;
  handle(
    exchange: Login extends true ? AuthenticatedExchange : Exchange,
    input: {
      readonly query: v.InferOutput<Q>;
      readonly body: v.InferOutput<B>;
      /** The part of the URL that is in braces in `path`, still encoded; empty if there is none. */
      readonly pathParameter: string;
    },
  ): Response | Promise<Response>;
}

export interface Operation extends Row<Query, v.GenericSchema, boolean> {
  readonly method: string;
  readonly path: string;
}

/**
 * Makes an operation, and checks the types of its row.
 *
 * @param path below /api/v1; at most one part in braces, at the end: `{path}` holds slashes
 */
export function operation<
  Q extends Query,
  B extends v.GenericSchema,
  Login extends boolean = true,
>(method: string, path: string, row: Row<Q, B, Login>): Operation {
  return { login: true, ...row, method, path } as unknown as Operation;
}

export const root = "/api/v1";

/** Adds operations to the router. */
export function addOperations(app: Hono<HttpEnv>, operations: readonly Operation[]): void {
  for (const [path, rows] of Map.groupBy(operations, (row) => row.path)) {
    const handlers = Object.fromEntries(rows.map((row) => [row.method, handlerOf(row)]));
    for (const route of routesOf(path)) resource(app, route, handlers);
  }
}

/** Returns Hono's routes: `/files{path}` is `/files` and all below it, `/accounts/{name}` one part. */
function routesOf(path: string): string[] {
  if (path.endsWith("{path}")) {
    const base = path.slice(0, -"{path}".length);
    return [base, `${base}/*`];
  }
  return [path.replace(/\{(\w+)\}$/, ":$1")];
}

function handlerOf({ path, verb, login, query, body, handle }: Operation): Handler {
  const parameterStart = root.length + path.replace(/\{\w+\}$/, "").length;
  return async ({ env: exchange }) => {
    if (verb) exchange.logEntry.verb = verb;
    if (login) await requireLogin(exchange);
    const { target } = exchange;
    const fields = Object.fromEntries(new URLSearchParams(target.query));
    return await handle(exchange, {
      query: query ? fit(query, fields) : {},
      body: body && body !== "bytes" ? await exchange.body.json(body) : undefined,
      pathParameter: target.path.slice(parameterStart),
    });
  };
}

/** The problem of an operation that a token with limits on files may not do. */
export const tokenProblem = { 403: "The token of this login may not do that" } as const;

/** Answers with JSON on one line. */
export function json(value: object, init: ResponseInit = {}): Response {
  const headers = new Headers(init.headers);
  headers.set("content-type", "application/json");
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  return new Response(`${JSON.stringify(value)}\n`, { ...init, headers });
}

/** Parses a time. @param name the field's, for the failure @throws {BargeError} `usage` */
export function timeIn(text: string, name: string): number {
  const time = parseTime(text);
  if (time !== undefined) return time;
  const hint = "write it as in RFC 3339: 2026-03-01T12:00:00Z";
  throw new BargeError("usage", `${name} is not a time`, { hint });
}
