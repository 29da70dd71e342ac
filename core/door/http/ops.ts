/** For those who run the server: is it alive, is it ready. */
import { Hono } from "hono";
import type { HttpEnv } from "./exchange.ts";
import { resource } from "./resource.ts";

export function ops(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  resource(app, "/healthz", { GET: () => text("ok\n") });
  resource(app, "/readyz", {
    GET(c) {
      if (c.env.door.stopping) return text("stopping\n", 503);
      c.env.store.accounts.count(); // throws where the database does not answer
      return text("ready\n");
    },
  });
  return app;
}

function text(body: string, status = 200): Response {
  return new Response(body, { status, headers: { "cache-control": "no-store" } });
}
