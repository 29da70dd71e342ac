/** Checks whether a request, or a URL in it, is for this server, by its Host header. */
import { isIP } from "node:net";
import { isLoopback } from "../../net/address.ts";
import type { Exchange } from "./exchange.ts";
import { isHost } from "./front.ts";
import { authorityOf } from "./path.ts";
import { Refusal } from "./problem.ts";

/** The hint where a proxy in front of the server may be the cause. */
export const keepHost =
  "behind a proxy, give the server its public URL: barge serve --public-url https://HOST";

const safe = new Set(["GET", "HEAD", "OPTIONS", "PROPFIND"]);

/**
 * Refuses a request for another host: a page of another site may have its own name lead to this
 * machine (DNS rebinding), and would then be of this server's origin for a browser.
 *
 * A door on loopback answers to `localhost`, loopback addresses and the public URL's host. A door
 * that other machines reach answers to every name, and with a public URL to that one and to numeric
 * addresses, which can't be led elsewhere. A client of HTTP/1.0 may leave the host out: no browser.
 * A request's target in absolute form counts in place of the Host field (RFC 9112, section 3.2.2).
 *
 * @throws {Refusal} 421, `refused`
 */
export function checkHost(exchange: Exchange): void {
  const { front } = exchange.door;
  const host = authorityOf(exchange.incoming.url ?? "") ?? exchange.header("host");
  if (host === undefined || front.isPublic(host)) return;
  const name = host.trim().toLowerCase().replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
  if (isLoopback(name)) return;
  if (!front.loopback && (front.publicUrl === undefined || isIP(name) !== 0)) return;
  throw new Refusal(421, "refused", "this server does not answer to that host name", {
    hint: "give the server the URL that its clients know: barge serve --public-url https://HOST",
  });
}

/**
 * Refuses a request that a page of another site has made the browser send. A browser adds cookies
 * and Basic credentials to such a request, and names the site of the page.
 *
 * `Sec-Fetch-Site: same-origin` is the browser's own comparison, and no script can set it; so it
 * holds also behind a proxy that does not forward Host. Browsers send it over HTTPS, and to loopback.
 * Any other value proves nothing where Origin and Host agree: a page of `http` that sends to `https`
 * is `cross-site`. The public URL's origin is this server's, whatever Host a proxy sends.
 *
 * @throws {Refusal} 403, `denied`
 */
export function refuseForeign(exchange: Exchange): void {
  if (safe.has(exchange.method)) return;
  const site = exchange.header("sec-fetch-site");
  if (site === "same-origin") return;
  const origin = exchange.header("origin");
  const foreign = origin !== undefined
    ? !hostsOf(exchange).some((host) => isHost(origin, host)) &&
      origin !== exchange.door.front.publicUrl?.origin
    : site !== undefined && site !== "none";
  if (!foreign) return;
  throw new Refusal(403, "denied", "the request comes from another site", { hint: keepHost });
}

/** Returns whether an absolute URL leads to this server. */
export function isOwn(exchange: Exchange, url: string): boolean {
  const { publicUrl } = exchange.door.front;
  if (publicUrl && isHost(url, new URL(publicUrl.origin).host)) return true;
  // A client gains nothing by sending that header: it could leave the host out of its URLs.
  const forwarded = exchange.header("x-forwarded-host")?.split(",") ?? [];
  return [...hostsOf(exchange), ...forwarded].some((host) => isHost(url, host));
}

function hostsOf(exchange: Exchange): string[] {
  const host = exchange.header("host");
  return host === undefined ? [] : [host];
}
