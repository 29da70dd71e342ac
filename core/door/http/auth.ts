/**
 * Who a request comes from: Basic (RFC 7617) with the password or a token, Bearer (RFC 6750) with a
 * token, or the page's cookie.
 *
 * HTTP sends its credentials with every request, and scrypt takes 80 ms: what was accepted is known
 * again for some minutes, by a keyed digest of it, in this worker's memory. It holds for the address
 * that it came from, and ends with the password or token, which is looked up at each request.
 */
import { createHmac, randomBytes } from "node:crypto";
import { BargeError } from "../../error.ts";
import { network } from "../../net/address.ts";
import { logName } from "../../login/log_name.ts";
import { logIn } from "../../login/password.ts";
import type { Session } from "../../login/session.ts";
import type { Store } from "../../local/store.ts";
import {
  type AuthenticatedExchange,
  type Exchange,
  isAuthenticated,
  type Logins,
} from "./exchange.ts";
import { refuseForeign } from "./origin.ts";

/** How long a login is known, in ms, and how many are. */
const lifetime = 5 * 60_000;
const most = 1024;

/** Finds whose a cookie is: the page's logins. @returns undefined for one that is not, or not any more */
export type CookieLogin = (exchange: Exchange, cookie: string) => Promise<Session | undefined>;

interface Known {
  readonly session: Session;
  readonly until: number;
}

/** The logins of one worker. */
export class RememberedLogins implements Logins {
  readonly #store: Store;
  readonly #cookie: CookieLogin | undefined;
  readonly #key = randomBytes(32);
  readonly #known = new Map<string, Known>();
  readonly #running = new Map<string, Promise<Session>>();

  constructor(store: Store, cookie?: CookieLogin) {
    this.#store = store;
    this.#cookie = cookie;
  }

  async identify(exchange: Exchange): Promise<void> {
    if (isAuthenticated(exchange)) return;
    const given = credentials(exchange.header("authorization"));
    if (given?.scheme !== "bearer") refuseForeign(exchange);
    if (given) {
      exchange.access.login = true;
      try {
        exchange.admit(await this.#logIn(exchange, given));
      } catch (error) {
        exchange.access.account ??= await logName(this.#store, given.name);
        throw error;
      }
      exchange.access.login = false;
      return;
    }
    const cookie = exchange.header("cookie");
    const session = cookie && await this.#cookie?.(exchange, cookie);
    if (session) exchange.admit(session);
  }

  async #logIn(exchange: Exchange, { name, secret }: Given): Promise<Session> {
    const { host, ended: { signal: gone } } = exchange;
    const key = createHmac("sha256", this.#key)
      .update(JSON.stringify([network(host), name, secret])).digest("base64");
    const known = await this.#find(key);
    if (known) return known;
    // Many requests come at once with the same credentials: one of them does the work, and if it
    // fails, each has guessed for itself.
    const leader = this.#running.get(key);
    if (leader) {
      const session = await leader.catch(() => undefined);
      if (session) return session;
    }
    const entering = logIn(this.#store, { name, secret, host, gone }, (ms) => exchange.pause(ms));
    if (!leader) this.#running.set(key, entering);
    try {
      const session = await entering;
      session.door = "http";
      this.#keep(key, { session, until: now() + lifetime });
      return session;
    } finally {
      if (this.#running.get(key) === entering) this.#running.delete(key);
    }
  }

  async #find(key: string): Promise<Session | undefined> {
    const known = this.#known.get(key);
    if (!known) return undefined;
    const { session, until } = known;
    if (until > now() && await session.holds()) return session;
    this.#known.delete(key);
    return undefined;
  }

  #keep(key: string, known: Known): void {
    this.#known.delete(key);
    this.#known.set(key, known);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= most) break;
      this.#known.delete(oldest);
    }
  }
}

/** @throws {BargeError} `unauthenticated` for a request without a login; as `Logins.identify` */
export async function requireLogin(exchange: Exchange): Promise<AuthenticatedExchange> {
  await exchange.door.logins.identify(exchange);
  if (isAuthenticated(exchange)) return exchange;
  throw new BargeError("unauthenticated", "log in first", { op: "log in" });
}

/**
 * How a client can log in. A script of the page asks by itself: with Basic in the answer, the
 * browser would ask before it.
 */
export function challenges(exchange: Exchange): string {
  const mode = exchange.header("sec-fetch-mode");
  const script = mode !== undefined && mode !== "navigate";
  return script
    ? 'Bearer realm="barge"'
    : 'Basic realm="barge", charset="UTF-8", Bearer realm="barge"';
}

interface Given {
  readonly scheme: "basic" | "bearer";
  readonly name: string;
  readonly secret: string;
}

/** @throws {BargeError} `usage` for a header that is malformed, `unauthenticated` for another scheme */
export function credentials(header: string | undefined): Given | undefined {
  if (header === undefined) return undefined;
  const [, scheme, text] = /^([A-Za-z]+) +(\S+) *$/.exec(header) ?? [];
  switch (scheme?.toLowerCase()) {
    case "bearer":
      return { scheme: "bearer", name: "", secret: text };
    case "basic":
      return basic(text);
  }
  throw new BargeError("unauthenticated", "log in with Basic or Bearer", { op: "log in" });
}

function basic(text: string): Given {
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

function now(): number {
  return performance.now();
}
