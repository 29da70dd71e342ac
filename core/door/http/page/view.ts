/**
 * What every page needs to know: who asks, how it is to look, and the token that its forms carry.
 *
 * A login is a cookie that scripts can't read and other sites can't send; the browser names the site
 * that a request comes from, too; and a form has to carry a token that only this page was told.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { getCookie, setCookie } from "hono/cookie";
import { parse } from "hono/utils/cookie";
import type { Context } from "hono";
import { webSessionMaxMs } from "../../../storage/logins.ts";
import { BargeError } from "../../../error.ts";
import { findWebSession } from "../../../login/web_session.ts";
import type { Session } from "../../../login/session.ts";
import type { Store } from "../../../local/store.ts";
import type { CookieLogin } from "../auth.ts";
import {
  type AuthenticatedExchange,
  type Exchange,
  type HttpEnv,
  isAuthenticated,
} from "../exchange.ts";
import { refuseForeign } from "../origin.ts";
import { Refusal } from "../problem.ts";

export type PageContext = Context<HttpEnv>;

/** A request for a page. */
export interface View {
  readonly exchange: Exchange;
  readonly store: Store;
  /** Undefined: nobody is logged in. */
  readonly session: Session | undefined;
  /** Names this login among its owner's. */
  readonly login: string;
  /** What forms carry as `csrf`. */
  readonly csrf: string;
  readonly theme: "light" | "dark" | undefined;
  /** The query. */
  readonly query: URLSearchParams;
}

/** One of somebody who is logged in. */
export interface UserView extends View {
  readonly exchange: AuthenticatedExchange;
  readonly session: Session;
}

/** Thrown where a page needs a login and there is none: leads to the login, and back. */
export class NeedsLogin extends BargeError {
  constructor() {
    super("unauthenticated", "log in first", { op: "log in" });
  }
}

/** Over TLS, the browser takes it from this host and over TLS only. */
function cookieName({ secure, door }: Exchange): string {
  if (!secure) return "barge";
  return door.front.prefix === "" ? "__Host-barge" : "__Secure-barge"; // the former is for all paths
}

/** Finds whose a request's cookie is, for the door's logins. */
export const cookieLogin: CookieLogin = async (exchange, header) => {
  const name = cookieName(exchange);
  const secret = parse(header, name)[name];
  return secret ? (await findWebSession(exchange.store, secret))?.session : undefined;
};

/** What a page needs to know, whoever asks. */
export async function viewOf(c: PageContext): Promise<View> {
  const exchange = c.env;
  const { store } = exchange;
  const secret = getCookie(c, cookieName(exchange)) ?? "";
  const login = secret === "" ? undefined : await findWebSession(store, secret);
  if (login) exchange.admit(login.session);
  const theme = getCookie(c, "barge-theme");
  return {
    exchange,
    store,
    session: login?.session,
    login: login?.id ?? "",
    csrf: createHash("sha256").update(`csrf\n${login ? secret : ""}`).digest("base64url"),
    theme: theme === "light" || theme === "dark" ? theme : undefined,
    query: new URLSearchParams(exchange.target.query),
  };
}

/** Returns whether the request comes with a login. */
export function isUserView(view: View): view is UserView {
  return view.session !== undefined && isAuthenticated(view.exchange);
}

/** Returns the view of a request with a login. @throws {NeedsLogin} */
export async function userView(c: PageContext): Promise<UserView> {
  const view = await viewOf(c);
  if (!isUserView(view)) throw new NeedsLogin();
  return view;
}

/** @throws {BargeError} `denied` for one who is no admin */
export async function adminView(c: PageContext): Promise<UserView> {
  const view = await userView(c);
  if ((await view.session.account()).role === "admin") return view;
  throw new BargeError("denied", "this is for admins");
}

/**
 * The fields of a form that this page gave out.
 *
 * @throws {BargeError} `denied` for one that another site sent, or an old login's
 */
export async function formOf(view: View): Promise<URLSearchParams> {
  const { exchange } = view;
  refuseForeign(exchange);
  const form = await exchange.body.form();
  const [given, own] = [form.get("csrf") ?? "", view.csrf].map((text) =>
    createHash("sha256").update(text).digest()
  );
  if (timingSafeEqual(given, own)) return form;
  throw new Refusal(403, "denied", "this form is of another login", {
    hint: "load the page again, and try once more",
  });
}

/** Where a form wants to lead back to: only ever to a page of this server. */
export function backOf(back: string | null): string {
  return back && /^\/(?![/\\])[!-~]*$/.test(back) ? back : "/files/home/";
}

/** Gives the browser a login, or with an empty secret takes it away. */
export function giveCookie(c: PageContext, secret: string): void {
  const { secure } = c.env;
  setCookie(c, cookieName(c.env), secret, {
    path: "/",
    httpOnly: true,
    secure,
    sameSite: "Strict",
    maxAge: secret === "" ? 0 : webSessionMaxMs / 1000,
  });
}
