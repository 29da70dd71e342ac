/** LOCK and UNLOCK: RFC 4918, sections 9.10 and 9.11. */
import type { Lock } from "../../../storage/lock.ts";
import type { View } from "../../../storage/view.ts";
import { BargeError } from "../../../error.ts";
import { lock, locksOver, refresh, unlock, type VisibleLock } from "../../../session/lock.ts";
import type { AuthenticatedExchange, Exchange } from "../exchange.ts";
import { isDeep, prefix, timeout } from "./headers.ts";
import { Guard } from "./guard.ts";
import { activeLock } from "./live.ts";
import { xml } from "./multistatus.ts";
import { Precondition } from "./precondition.ts";
import { childOf, escapeXml, isDav, parseXml, writeXml } from "./xml.ts";

const maxBodyBytes = 16 * 1024;
const noSuchLock = "no lock with this token applies to it";

/** LOCK. With a body it creates a lock; without one it refreshes a lock of the client. */
export async function lockMember(exchange: AuthenticatedExchange): Promise<Response> {
  const { path } = exchange.pathBelow(prefix);
  const { session } = exchange;
  const deep = isDeep(exchange);
  const guard = new Guard(exchange, path);
  const seconds = timeout(exchange);
  const check = (view: View) => guard.check(view, {});
  const text = await exchange.body.text(maxBodyBytes);
  if (text.trim() === "") {
    const refreshed = await refresh(session, path, guard.tokens, seconds, check);
    if (refreshed) return answer(exchange, 200, refreshed, await locksOver(session, path));
    throw new Precondition(412, "lock-token-matches-request-uri", noSuchLock);
  }
  const { shared, owner } = parse(text);
  const { tokens } = guard;
  const request = { path, shared, deep, owner, seconds, tokens };
  const { lock: made, made: created } = await lock(session, request, check);
  return answer(exchange, created ? 201 : 200, made, await locksOver(session, path), {
    "lock-token": `<${made.token}>`,
  });
}

export async function unlockMember(exchange: AuthenticatedExchange): Promise<Response> {
  const { path } = exchange.pathBelow(prefix);
  const [, token] = /^\s*<([^<>\s]+)>\s*$/.exec(exchange.header("lock-token") ?? "") ?? [];
  if (token === undefined) {
    throw new BargeError("usage", "the Lock-Token header is missing or malformed");
  }
  if (await unlock(exchange.session, path, token)) return new Response(null, { status: 204 });
  throw new Precondition(409, "lock-token-matches-request-uri", noSuchLock, { kind: "exists" });
}

function answer(
  { door: { proxy } }: Exchange,
  status: number,
  lock: Lock,
  over: readonly VisibleLock[],
  headers: Record<string, string> = {},
): Response {
  const locks = [lock, ...over.filter(({ token }) => token !== lock.token)];
  const active = locks.map((lock) => activeLock(lock, proxy.prefix)).join("");
  const inner = `<D:lockdiscovery>${active}</D:lockdiscovery>`;
  return xml(status, `<D:prop xmlns:D="DAV:">${inner}</D:prop>`, headers);
}

/** Parses the body. @throws {BargeError} `usage` */
function parse(text: string): { shared: boolean; owner: string } {
  const root = parseXml(text);
  const scope = childOf(root, "lockscope");
  const shared = childOf(scope, "shared") !== undefined;
  const valid = isDav(root, "lockinfo") && childOf(childOf(root, "locktype"), "write") &&
    (shared || childOf(scope, "exclusive"));
  if (!valid) throw new BargeError("usage", "the body is not a supported DAV:lockinfo");
  const inner = childOf(root, "owner")?.children ?? [];
  const texts = inner.map((each) => typeof each === "string" ? escapeXml(each) : writeXml(each));
  return { shared, owner: texts.join("").trim() };
}
