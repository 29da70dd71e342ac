/** Adds the prefix of the public URL to responses; path.ts removes it from requests. */
import type { MiddlewareHandler } from "hono";
import type { HttpEnv } from "./exchange.ts";

/** Adds the prefix to the paths in the head of a response: Location and cookies. */
export const prefixHead: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next();
  const { prefix } = c.env.door.proxy;
  if (prefix === "") return;
  const { headers } = c.res;
  const location = headers.get("location");
  if (location && /^\/(?!\/)/.test(location)) headers.set("location", prefix + location);
  const cookies = headers.getSetCookie();
  headers.delete("set-cookie");
  for (const cookie of cookies) {
    const path = (_: string, path: string) => `; Path=${prefix}${path === "/" ? "" : path}`;
    headers.append("set-cookie", cookie.replace(/; Path=([^;]*)/i, path));
  }
};

/** Adds the prefix to the paths in a page. Rendering escapes `"` in text, so only attributes match. */
export const prefixPage: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next();
  const { prefix } = c.env.door.proxy;
  const isPage = c.res.headers.get("content-type")?.startsWith("text/html");
  if (prefix === "" || !isPage || !c.res.body) return;
  const text = (await c.res.text())
    .replace(/ (href|src|action|formaction|data-link)="\/(?!\/)/g, ` $1="${prefix}/`);
  c.res = new Response(text, c.res);
};
