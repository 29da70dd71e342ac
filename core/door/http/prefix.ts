/**
 * The prefix of the public URL. A proxy passes paths on as they come, with the prefix: it is taken
 * off before the modules see a path, and put before the paths in what they answer.
 */
import type { MiddlewareHandler } from "hono";
import type { HttpEnv } from "./exchange.ts";

/** Puts the prefix before the paths in the head of an answer: where to go, and where cookies go. */
export const prefixHead: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next();
  const { prefix } = c.env.door.front;
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

/**
 * Puts the prefix before the paths in a page. In a rendered page `"` and `<` stand for themselves
 * only where the page's own elements have them, so that no text is mistaken for an attribute.
 */
export const prefixPage: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next();
  const { prefix } = c.env.door.front;
  const page = c.res.headers.get("content-type")?.startsWith("text/html");
  if (prefix === "" || !page || !c.res.body) return;
  const text = (await c.res.text())
    .replace(/ (href|src|action|formaction|data-link)="\/(?!\/)/g, ` $1="${prefix}/`);
  c.res = new Response(text, c.res);
};
