/** Checks whether a request, or a URL in it, is for this server, by its Host header. */
import type { Exchange } from "./exchange.ts";
import { Refusal } from "./problem.ts";

/** The hint where a proxy in front of the server may be the cause. */
export const keepHost = "a proxy in front of barge has to forward the Host header as it came";

const safe = new Set(["GET", "HEAD", "OPTIONS", "PROPFIND"]);

/**
 * Refuses a request that a page of another site has made the browser send. A browser adds cookies
 * and Basic credentials to such a request, and names the site of the page.
 *
 * `Sec-Fetch-Site: same-origin` is the browser's own comparison, and no script can set it; so it
 * holds also behind a proxy that does not forward Host. Browsers send it over HTTPS, and to loopback.
 * Any other value proves nothing where Origin and Host agree: a page of `http` that sends to `https`
 * is `cross-site`.
 *
 * @throws {Refusal} 403, `denied`
 */
export function refuseForeign(exchange: Exchange): void {
  if (safe.has(exchange.method)) return;
  const site = exchange.header("sec-fetch-site");
  if (site === "same-origin") return;
  const origin = exchange.header("origin");
  const foreign = origin !== undefined
    ? !isHost(origin, exchange.header("host") ?? "")
    : site !== undefined && site !== "none";
  if (!foreign) return;
  throw new Refusal(403, "denied", "the request comes from another site", { hint: keepHost });
}

/**
 * Returns whether a URL has the host of a Host header. Ignores case, and the default port of the
 * scheme, which clients leave out and proxies add.
 *
 * @example
 * ```ts
 * import { isHost } from "./origin.ts";
 * if (!isHost("https://a.example", "A.example:443")) throw new Error();
 * if (isHost("http://a.example", "a.example:443") || isHost("null", "null")) throw new Error();
 * ```
 */
export function isHost(url: string, host: string): boolean {
  const [, scheme, authority] = /^(https?):\/\/([^/?#]+)/i.exec(url) ?? [];
  if (authority === undefined) return false;
  const port = scheme.toLowerCase() === "https" ? /:443$/ : /:80$/;
  const bare = (host: string) => host.trim().toLowerCase().replace(/^[^@]*@/, "").replace(port, "");
  return bare(authority) === bare(host);
}
