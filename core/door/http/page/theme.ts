/** Lets the reader choose light or dark, in place of the system's setting. */
import { setCookie } from "hono/cookie";
import { backOf, formOf, type PageContext, viewOf } from "./view.ts";

const themeCookieSeconds = 365 * 86_400;

/** POST /theme. */
export async function setTheme(c: PageContext): Promise<Response> {
  const form = await formOf(await viewOf(c));
  const theme = form.get("theme") === "dark" ? "dark" : "light";
  setCookie(c, "barge-theme", theme, {
    path: "/",
    maxAge: themeCookieSeconds,
    sameSite: "Lax",
    httpOnly: true,
    secure: c.env.secure,
  });
  return c.redirect(backOf(form.get("back")), 303);
}
