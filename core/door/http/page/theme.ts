/** Light or dark, where somebody wants it otherwise than their system says. */
import { setCookie } from "hono/cookie";
import { backOf, formOf, type PageContext, viewOf } from "./view.ts";

const year = 365 * 86_400;

/** POST /theme. */
export async function setTheme(c: PageContext): Promise<Response> {
  const form = await formOf(await viewOf(c));
  const theme = form.get("theme") === "dark" ? "dark" : "light";
  const { secure } = c.env;
  const attributes = { path: "/", maxAge: year, sameSite: "Lax", httpOnly: true, secure } as const;
  setCookie(c, "barge-theme", theme, attributes);
  return c.redirect(backOf(form.get("back")), 303);
}
