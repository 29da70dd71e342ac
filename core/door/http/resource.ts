/** A URL with its methods: what it does not know is refused by name. RFC 9110, section 15.5.6. */
import type { Context, Hono } from "hono";
import type { HttpEnv } from "./exchange.ts";
import { Refusal } from "./problem.ts";

export type Handler = (c: Context<HttpEnv>) => Response | Promise<Response>;

/**
 * Adds a resource to an app. HEAD goes with GET; OPTIONS, where it has no handler, tells the methods.
 *
 * @param path as Hono has it: `/accounts/:name`, `/files/*`
 */
export function resource(
  app: Hono<HttpEnv>,
  path: string,
  handlers: Readonly<Record<string, Handler>>,
): void {
  const methods = Object.keys(handlers);
  const allow = [
    ...methods,
    ...handlers.GET ? ["HEAD"] : [],
    ...handlers.OPTIONS ? [] : ["OPTIONS"],
  ]
    .join(", ");
  for (const [method, handle] of Object.entries(handlers)) app.on(method, path, handle);
  app.all(path, (c) => {
    if (c.req.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
    throw new Refusal(405, "unsupported", `${c.req.method} does nothing here`, {
      headers: { allow },
    });
  });
}
