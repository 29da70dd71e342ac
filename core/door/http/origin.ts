/** Checks that a request, or a URL in it, is for this server, by the Host header. */
import { isIP } from "node:net";
import { isLoopback } from "../../net/address.ts";
import type { Exchange } from "./exchange.ts";
import { isHost } from "./reverse_proxy.ts";
import { authorityOf } from "./path.ts";
import { Refusal } from "./problem.ts";

/** The hint of refusals that a proxy may have caused. */
export const publicUrlHint =
  "behind a proxy, give the server its public URL: barge serve --public-url https://HOST";

const safeMethods = new Set(["GET", "HEAD", "OPTIONS", "PROPFIND"]);

/**
 * Refuses a request for another host, against DNS rebinding: an attacker lets the name of another site
 * resolve to this machine. For the browser, that site's scripts then have this server's origin.
 *
 * A door on loopback answers to `localhost`, loopback addresses and the public URL's host. A door on
 * another address answers to every name; with a public URL, to that URL's host and to numeric addresses.
 * A target in absolute form replaces the Host field (RFC 9112, section 3.2.2).
 *
 * @throws {Refusal} 421, `refused`
 */
export function checkHost(exchange: Exchange): void {
  const { proxy } = exchange.door;
  const host = authorityOf(exchange.incoming.url ?? "") ?? exchange.header("host");
  if (host === undefined || proxy.isPublic(host)) return;
  const name = host.trim().toLowerCase().replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
  if (isLoopback(name)) return;
  if (!proxy.loopback && (proxy.publicUrl === undefined || isIP(name) !== 0)) return;
  throw new Refusal(421, "refused", "this server does not answer to that host name", {
    hint: "give the server the URL that its clients know: barge serve --public-url https://HOST",
  });
}

/**
 * Refuses a request that a page of another site has made the browser send, with the user's cookies or
 * Basic credentials.
 *
 * `Sec-Fetch-Site: same-origin` is the browser's own comparison, which no script can set, so it suffices
 * behind a proxy that does not forward Host. Browsers send it over HTTPS and to loopback. If Origin and
 * Host agree, other values prove no attack: a request from `http` to `https` is `cross-site`.
 *
 * @throws {Refusal} 403, `denied`
 */
export function refuseOtherSites(exchange: Exchange): void {
  if (safeMethods.has(exchange.method)) return;
  const site = exchange.header("sec-fetch-site");
  if (site === "same-origin") return;
  const origin = exchange.header("origin");
  const foreign = origin !== undefined
    ? !isHost(origin, exchange.header("host")) &&
      origin !== exchange.door.proxy.publicUrl?.origin
    : site !== undefined && site !== "none";
  if (!foreign) return;
  throw new Refusal(403, "denied", "the request comes from another site", { hint: publicUrlHint });
}

/** Returns whether an absolute URL leads to this server. */
export function isThisServer(exchange: Exchange, url: string): boolean {
  const { publicUrl } = exchange.door.proxy;
  if (publicUrl && isHost(url, new URL(publicUrl.origin).host)) return true;
  // A client gains nothing by forging this header: it could as well send URLs without a host.
  const forwarded = exchange.header("x-forwarded-host")?.split(",") ?? [];
  return [exchange.header("host"), ...forwarded].some((host) => isHost(url, host));
}
