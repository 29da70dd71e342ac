/**
 * The login of a request: Basic (RFC 7617) with the password or a token, Bearer (RFC 6750) with a
 * token, or the page's cookie. Clients send credentials with every request, and scrypt takes 80 ms. So
 * each worker remembers accepted ones for some minutes, by a keyed digest and for the client's address.
 */
import { createHash, randomBytes } from "node:crypto";
import { BargeError } from "../../error.ts";
import { logName } from "../../login/log_name.ts";
import { logIn } from "../../login/password.ts";
import type { Session } from "../../login/session.ts";
import type { Service } from "../../login/service.ts";
import { type AuthenticatedExchange, type Exchange, isAuthenticated } from "./exchange.ts";
import { refuseOtherSites } from "./origin.ts";

const rememberedMs = 5 * 60_000;
const maxRemembered = 1024;

/** Finds the session of a cookie of the page. @returns undefined for an unknown or ended one */
export type CookieLogin = (exchange: Exchange, cookie: string) => Promise<Session | undefined>;

/** The logins of one worker at one door. */
export class RememberedLogins {
  readonly #store: Service;
  readonly #cookieLogin: CookieLogin;
  readonly #key = randomBytes(32);
  /** Accepted logins, each with the time in ms at which it is forgotten, the oldest first. */
  readonly #remembered = new Map<string, readonly [session: Session, until: number]>();
  /**
   * The key of a login by the key of the header field that holds it, which needs no parsing; the oldest first.
   * A client can write one login in many ways. That displaces entries of others here, but not their logins.
   */
  readonly #fields = new Map<string, string>();
  readonly #pending = new Map<string, Promise<Session>>();

  constructor(store: Service, cookieLogin: CookieLogin) {
    this.#store = store;
    this.#cookieLogin = cookieLogin;
  }

  /**
   * Admits the session of a request that has credentials.
   *
   * @throws {BargeError} `unauthenticated` for a login that is not accepted, `unavailable`, `denied`
   *   for a request that another site has made the browser send
   */
  async identify(exchange: Exchange): Promise<void> {
    if (isAuthenticated(exchange)) return;
    const field = exchange.header("authorization");
    if (!/^bearer /i.test(field ?? "")) refuseOtherSites(exchange);
    if (field !== undefined) {
      const fieldKey = this.#keyOf([exchange.host, field]);
      const session = await this.#recall(this.#fields.get(fieldKey));
      if (session) exchange.admit(session);
      else await this.#admit(exchange, credentials(field), fieldKey);
      return;
    }
    const cookie = exchange.header("cookie");
    const session = cookie && await this.#cookieLogin(exchange, cookie);
    if (session) exchange.admit(session);
  }

  async #admit(exchange: Exchange, sent: Credentials, fieldKey: string): Promise<void> {
    const key = this.#keyOf([exchange.host, sent.name, sent.secret]);
    exchange.access.login = true;
    try {
      exchange.admit(await this.#recall(key) ?? await this.#logIn(exchange, sent, key));
      remember(this.#fields, fieldKey, key);
    } catch (error) {
      exchange.access.account ??= await logName(this.#store, sent.name);
      throw error;
    }
    exchange.access.login = false;
  }

  async #logIn(exchange: Exchange, { name, secret }: Credentials, key: string): Promise<Session> {
    const { host, ended: { signal: gone }, pause } = exchange;
    // Of several simultaneous requests with the same credentials, one checks them. If that fails, each of
    // the others checks them, too, and counts as an attempt.
    const leader = this.#pending.get(key);
    if (leader) {
      const session = await leader.catch(() => undefined);
      if (session) return session;
    }
    const login = logIn(this.#store, { name, secret, host, door: "http", gone }, pause);
    if (!leader) this.#pending.set(key, login);
    try {
      const session = await login;
      session.door = "http";
      remember(this.#remembered, key, [session, performance.now() + rememberedMs]);
      return session;
    } finally {
      if (this.#pending.get(key) === login) this.#pending.delete(key);
    }
  }

  /** Returns a digest that only this worker can make. */
  #keyOf(parts: readonly string[]): string {
    return createHash("sha256").update(this.#key).update(JSON.stringify(parts)).digest("base64");
  }

  async #recall(key: string | undefined): Promise<Session | undefined> {
    if (key === undefined) return undefined;
    const [session, until] = this.#remembered.get(key) ?? [undefined, 0];
    if (session && until > performance.now() && await session.holds()) return session;
    this.#remembered.delete(key);
    return undefined;
  }
}

/** Puts an entry at the end of a map, and removes the first one of too many. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= maxRemembered) return;
  const [oldest] = map.keys();
  map.delete(oldest);
}

/** Logs a request in. @throws {BargeError} `unauthenticated` for one without credentials; as `identify` */
export async function requireLogin(exchange: Exchange): Promise<AuthenticatedExchange> {
  await exchange.door.logins.identify(exchange);
  if (isAuthenticated(exchange)) return exchange;
  throw new BargeError("unauthenticated", "log in first", { op: "log in" });
}

/**
 * Returns the ways to log in, for WWW-Authenticate. Scripts of the page get no Basic, for which the
 * browser would show its own dialog.
 */
export function challenges(exchange: Exchange): string {
  const mode = exchange.header("sec-fetch-mode");
  const script = mode !== undefined && mode !== "navigate";
  return script
    ? 'Bearer realm="barge"'
    : 'Basic realm="barge", charset="UTF-8", Bearer realm="barge"';
}

interface Credentials {
  readonly scheme: "basic" | "bearer";
  readonly name: string;
  readonly secret: string;
}

/**
 * Reads an Authorization header.
 *
 * @throws {BargeError} `usage` for a malformed header, `unauthenticated` for another scheme
 */
export function credentials(header: string): Credentials {
  const [, scheme = "", text] = /^([A-Za-z]+) +(\S+) *$/.exec(header) ?? [];
  if (/^bearer$/i.test(scheme)) return { scheme: "bearer", name: "", secret: text };
  if (/^basic$/i.test(scheme)) return basic(text);
  throw new BargeError("unauthenticated", "log in with Basic or Bearer", { op: "log in" });
}

function basic(text: string): Credentials {
  try {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const pair = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const colon = pair.indexOf(":");
    if (colon === -1) throw new TypeError("no colon");
    return { scheme: "basic", name: pair.slice(0, colon), secret: pair.slice(colon + 1) };
  } catch {
    throw new BargeError("usage", "the Authorization header is malformed", { op: "log in" });
  }
}
