/** Whether a request, or a URL in it, is of this server: as its Host header has it. */
import type { Exchange } from "./exchange.ts";
import { Refusal } from "./problem.ts";

/** To be said where a proxy in front of the server may be the cause. */
export const keepHost = "a proxy in front of barge has to forward the Host header as it came";

const safe = new Set(["GET", "HEAD", "OPTIONS", "PROPFIND"]);

/**
 * A browser sends cookies and Basic credentials along with whatever a page of another site makes it
 * send, and names the site that the page is of.
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
 * Reports whether a URL names a host, as a Host header has it: without regard to case, and to the
 * port that the URL's scheme has anyway, which clients leave out and proxies put in.
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
