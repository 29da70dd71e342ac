/** The API under /api/v1: what scripts and the page use. */
import { Hono } from "hono";
import { needLogin } from "../auth.ts";
import type { HttpEnv } from "../exchange.ts";
import { addFiles } from "./files.ts";

export function api(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use("/files", loggedIn);
  app.use("/files/*", loggedIn);
  addFiles(app);
  return app;
}

async function loggedIn(c: { env: HttpEnv["Bindings"] }, next: () => Promise<void>) {
  await needLogin(c.env);
  await next();
}
