/** For those who run the server: is it alive, is it ready, what has it done. */
import { Hono } from "hono";
import { isLoopback, network } from "../../net/address.ts";
import { checkReady, numbers, snapshot } from "../../session/status.ts";
import { prometheus, prometheusType } from "../prometheus.ts";
import { needLogin } from "./auth.ts";
import type { Exchange, HttpEnv } from "./exchange.ts";
import { resource } from "./resource.ts";

export function ops(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  resource(app, "/healthz", { GET: () => text("ok\n") });
  resource(app, "/readyz", {
    GET({ env: { door, store } }) {
      if (door.stopping) return text("stopping\n", 503);
      checkReady(store);
      return text("ready\n");
    },
  });
  resource(app, "/metrics", {
    async GET({ env: exchange }) {
      const open = isHere(exchange) && exchange.header("authorization") === undefined;
      const found = open ? snapshot(exchange.store) : numbers(await needLogin(exchange));
      return text(prometheus(found), 200, prometheusType);
    },
  });
  return app;
}

/** Is the client on this machine, and not what a proxy on it passes on? */
function isHere(exchange: Exchange): boolean {
  const passed = ["forwarded", "x-forwarded-for", "via", "x-real-ip"]
    .some((name) => exchange.header(name) !== undefined);
  return !passed && isLoopback(network(exchange.host));
}

function text(body: string, status = 200, type = "text/plain; charset=utf-8"): Response {
  const headers = { "content-type": type, "cache-control": "no-store" };
  return new Response(body, { status, headers });
}
