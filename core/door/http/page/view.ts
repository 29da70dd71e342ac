/**
 * The facts that every page needs: the login, the theme, and the token of its forms. A login is a cookie
 * that scripts can't read and other sites can't send. A form must carry a token that only its page has.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { getCookie, setCookie } from "hono/cookie";
import { parse } from "hono/utils/cookie";
import type { Context } from "hono";
import { webSessionMaxMs } from "../../../storage/logins.ts";
import { BargeError } from "../../../error.ts";
import { findWebSession } from "../../../login/web_session.ts";
import type { Session } from "../../../login/session.ts";
import type { Service } from "../../../login/service.ts";
import type { CookieLogin } from "../auth.ts";
import {
  type AuthenticatedExchange,
  type Exchange,
  type HttpEnv,
  isAuthenticated,
} from "../exchange.ts";
import { refuseOtherSites } from "../origin.ts";
import { Refusal } from "../problem.ts";

const themeCookieSeconds = 365 * 86_400;

export type PageContext = Context<HttpEnv>;

/** A request for a page. */
export interface View {
  readonly exchange: Exchange;
  readonly store: Service;
  readonly session: Session | undefined;
  /** The id of this login, which no other login of its account has. */
  readonly login: string;
  /** The field `csrf` of forms. */
  readonly csrf: string;
  readonly theme: "light" | "dark" | undefined;
  readonly query: URLSearchParams;
}

/** A request for a page, with a login. */
export interface UserView extends View {
  readonly exchange: AuthenticatedExchange;
  readonly session: Session;
}

/** The failure of a page that needs a login. Its response redirects to the login page. */
export class NeedsLogin extends BargeError {}

/** Returns the cookie's name. Over TLS, the browser accepts it only from this host and over TLS. */
function cookieName({ secure, door }: Exchange): string {
  if (!secure) return "barge";
  return door.proxy.prefix === "" ? "__Host-barge" : "__Secure-barge"; // `__Host-` requires the path /
}

/** Finds the session of a cookie, for the door's logins. */
export const cookieLogin: CookieLogin = async (exchange, header) => {
  const name = cookieName(exchange);
  const secret = parse(header, name)[name];
  return secret
    ? (await findWebSession(exchange.store, secret, exchange.host))?.session
    : undefined;
};

/** Returns the view of any request. */
export async function viewOf(c: PageContext): Promise<View> {
  const exchange = c.env;
  const { store } = exchange;
  const secret = getCookie(c, cookieName(exchange)) ?? "";
  const login = secret === "" ? undefined : await findWebSession(store, secret, exchange.host);
  if (login) exchange.admit(login.session);
  const theme = getCookie(c, "barge-theme");
  return {
    exchange,
    store,
    session: login?.session,
    login: login?.id ?? "",
    csrf: csrfOf(login ? secret : ""),
    theme: theme === "light" || theme === "dark" ? theme : undefined,
    query: new URLSearchParams(exchange.target.query),
  };
}

/** Returns the view of a page that answers with a new cookie: its forms are sent with that cookie. */
export function viewWithoutLogin(view: View, secret: string): View {
  return { ...view, session: undefined, csrf: csrfOf(secret) };
}

/** @param secret that of the cookie; empty without a login */
function csrfOf(secret: string): string {
  return createHash("sha256").update(`csrf\n${secret}`).digest("base64url");
}

/** Returns whether the request comes with a login. */
export function isUserView(view: View): view is UserView {
  return view.session !== undefined && isAuthenticated(view.exchange);
}

/** Returns the view of a request with a login. @throws {NeedsLogin} */
export async function userView(c: PageContext): Promise<UserView> {
  const view = await viewOf(c);
  if (!isUserView(view)) throw new NeedsLogin("unauthenticated", "log in first");
  return view;
}

/** Returns the view of an admin's request. @throws {NeedsLogin} {BargeError} `denied` for other accounts */
export async function adminView(c: PageContext): Promise<UserView> {
  const view = await userView(c);
  view.session.refuseRestricted();
  if ((await view.session.account()).role === "admin") return view;
  throw new BargeError("denied", "only admins can see this page");
}

/**
 * Returns the fields of a form of this page.
 *
 * @throws {BargeError} `denied` for a form of another site or of an earlier login
 */
export async function formOf(view: View): Promise<URLSearchParams> {
  const { exchange } = view;
  refuseOtherSites(exchange);
  const form = await exchange.body.form();
  const [sent, own] = [form.get("csrf") ?? "", view.csrf].map((text) =>
    createHash("sha256").update(text).digest()
  );
  if (timingSafeEqual(sent, own)) return form;
  throw new Refusal(403, "denied", "this form belongs to another login", {
    hint: "reload the page and try again",
  });
}

/** Returns the browser of a request, as it names itself. */
export function agentOf(exchange: Exchange): string {
  return exchange.header("user-agent") ?? "";
}

/** Records the failure of a form, which its page shows. @throws any other error again */
export function formFailure({ exchange }: View, error: unknown): BargeError {
  if (!(error instanceof BargeError)) throw error;
  exchange.failed = error;
  return error;
}

/** Returns the path to go to after a form, if it is on this server; else the home folder. */
export function backOf(back: string | null): string {
  return back && /^\/(?![/\\])[!-~]*$/.test(back) ? back : "/files/home/";
}

/** Sets the cookie of a login; an empty secret removes it. */
export function setLoginCookie(c: PageContext, secret: string): void {
  const { secure } = c.env;
  setCookie(c, cookieName(c.env), secret, {
    path: "/",
    httpOnly: true,
    secure,
    sameSite: "Strict",
    maxAge: secret === "" ? 0 : webSessionMaxMs / 1000,
  });
}

/** POST /theme: lets the reader choose light or dark, in place of the system's setting. */
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
