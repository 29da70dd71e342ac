/** Adds a URL with its methods to an app; refuses other methods (RFC 9110, section 15.5.6). */
import type { Context, Hono } from "hono";
import type { HttpEnv } from "./exchange.ts";
import { Refusal } from "./problem.ts";

export type Handler = (c: Context<HttpEnv>) => Response | Promise<Response>;

/**
 * Adds a resource to an app. GET also answers HEAD. OPTIONS without a handler lists the methods.
 *
 * @param path in Hono's syntax: `/accounts/:name`, `/files/*`
 */
export function resource(
  app: Hono<HttpEnv>,
  path: string,
  handlers: Readonly<Record<string, Handler>>,
): void {
  const methods = Object.keys(handlers);
  if (handlers.GET) methods.push("HEAD");
  if (!handlers.OPTIONS) methods.push("OPTIONS");
  const allow = methods.join(", ");
  for (const [method, handle] of Object.entries(handlers)) app.on(method, path, handle);
  app.all(path, (c) => {
    if (c.req.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    throw new Refusal(405, "unsupported", `this URL does not support ${c.req.method}`, {
      headers: { allow },
    });
  });
}
