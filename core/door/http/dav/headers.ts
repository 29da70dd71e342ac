/** The headers of WebDAV: RFC 4918, section 10. */
import { BargeError } from "../../../error.ts";
import { defaultLockSeconds, maxLockSeconds } from "../../../storage/locks.ts";
import type { Exchange } from "../exchange.ts";
import { isOwn, publicUrlHint } from "../origin.ts";
import { encodePath, parseTarget, type TreePath, treePath, withoutPrefix } from "../path.ts";
import { Refusal } from "../problem.ts";

/** Where the tree begins. */
export const prefix = "/dav";

/**
 * A path of the tree as an absolute path of this server.
 *
 * @param base what all URLs of the server begin with
 * @param folder with a slash at its end
 */
export function hrefOf(base: string, path: string, folder: boolean): string {
  const encoded = path === "/" ? "" : encodePath(path);
  return `${base}${prefix}${encoded}${folder ? "/" : ""}`;
}

/** What a request is about. */
export function asked(exchange: Exchange): TreePath {
  const where = treePath(exchange.target.path.slice(prefix.length));
  exchange.asked.path = where.path;
  return where;
}

/**
 * What a URL in a header is about.
 *
 * @param url absolute, or an absolute path
 * @returns undefined for another server's, or what is outside of the tree
 * @throws {BargeError} `usage` for what is malformed
 */
export function pathOf(exchange: Exchange, url: string): string | undefined {
  if (/^https?:/i.test(url) && !isOwn(exchange, url)) return undefined;
  const path = withoutPrefix(parseTarget(url).path, exchange.door.front.prefix);
  if (path === undefined) return undefined;
  if (path !== prefix && !path.startsWith(`${prefix}/`)) return undefined;
  return treePath(path.slice(prefix.length)).path;
}

/** @throws {Refusal} 502 for another server; {BargeError} `usage` where it is missing */
export function destination(exchange: Exchange): string {
  const given = exchange.header("destination");
  if (given === undefined) throw new BargeError("usage", "the Destination header is missing");
  const path = pathOf(exchange, given.trim());
  if (path === undefined) {
    throw new Refusal(502, "refused", "the destination is not in this server's /dav/", {
      hint: publicUrlHint,
    });
  }
  exchange.asked.to = path;
  return path;
}

/** @throws {BargeError} `usage` */
export function depth(exchange: Exchange): "0" | "1" | "infinity" | undefined {
  const given = exchange.header("depth")?.trim().toLowerCase();
  if (given === undefined || given === "0" || given === "1" || given === "infinity") return given;
  throw new BargeError("usage", "Depth is 0, 1 or infinity");
}

/** May what is at the destination be replaced? @throws {BargeError} `usage` */
export function mayOverwrite(exchange: Exchange): boolean {
  const given = exchange.header("overwrite")?.trim().toUpperCase() ?? "T";
  if (given !== "T" && given !== "F") throw new BargeError("usage", "Overwrite is T or F");
  return given === "T";
}

/**
 * For how long a lock is asked for: the first that we understand, and no longer than we allow.
 *
 * @returns seconds
 */
export function timeout(exchange: Exchange): number {
  for (const each of (exchange.header("timeout") ?? "").split(",")) {
    const [, seconds] = /^\s*Second-(\d{1,10})\s*$/i.exec(each) ?? [];
    if (seconds) return Math.min(Math.max(Number(seconds), 1), maxLockSeconds);
    if (/^\s*Infinite\s*$/i.test(each)) return maxLockSeconds;
  }
  return defaultLockSeconds;
}
