/** Health and metrics, for operators: /healthz, /readyz, /metrics. */
import { Hono } from "hono";
import { checkReady, snapshot, statusSnapshot } from "../../session/status.ts";
import { prometheus, prometheusType } from "../prometheus.ts";
import { requireLogin } from "./auth.ts";
import type { HttpEnv } from "./exchange.ts";
import { resource } from "./resource.ts";

/** Makes the app for operators. @param open true: the metrics need no login; false: only admins get them */
export function monitoring(open: boolean): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  resource(app, "/healthz", { GET: () => text("ok\n") });
  resource(app, "/readyz", {
    async GET({ env: { door, store } }) {
      if (door.stopping) return text("stopping\n", 503);
      await checkReady(store);
      return text("ready\n");
    },
  });
  resource(app, "/metrics", {
    async GET({ env: exchange }) {
      const current = open
        ? await snapshot(exchange.store)
        : await statusSnapshot((await requireLogin(exchange)).session);
      return text(prometheus(current), 200, prometheusType);
    },
  });
  return app;
}

function text(body: string, status = 200, type = "text/plain; charset=utf-8"): Response {
  const headers = { "content-type": type, "cache-control": "no-store" };
  return new Response(body, { status, headers });
}
