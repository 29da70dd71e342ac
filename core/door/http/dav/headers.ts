/** The headers of WebDAV: RFC 4918, section 10. */
import { BargeError } from "../../../error.ts";
import { defaultLockSeconds, maxLockSeconds } from "../../../storage/locks.ts";
import type { Exchange } from "../exchange.ts";
import { isThisServer, publicUrlHint } from "../origin.ts";
import { encodePath, parseTarget, treePath, withoutPrefix } from "../path.ts";
import { Refusal } from "../problem.ts";

/** The URL of the tree's root. */
export const prefix = "/dav";

/** Returns the URL of a path of the tree. @param base the start of the server's URLs */
export function hrefOf(base: string, path: string, folder: boolean): string {
  const encoded = path === "/" ? "" : encodePath(path);
  return `${base}${prefix}${encoded}${folder ? "/" : ""}`;
}

/**
 * Returns the path of the tree in a header's URL.
 *
 * @param url absolute, or an absolute path
 * @returns undefined for a URL of another server or outside of the tree
 * @throws {BargeError} `usage` for a malformed URL
 */
export function pathOf(exchange: Exchange, url: string): string | undefined {
  if (/^https?:/i.test(url) && !isThisServer(exchange, url)) return undefined;
  const path = withoutPrefix(parseTarget(url).path, exchange.door.proxy.prefix);
  if (path === undefined) return undefined;
  if (path !== prefix && !path.startsWith(`${prefix}/`)) return undefined;
  return treePath(path.slice(prefix.length)).path;
}

/** Reads the Destination header. @throws {Refusal} 502 for another server; {BargeError} `usage` */
export function destination(exchange: Exchange): string {
  const value = exchange.header("destination");
  if (value === undefined) throw new BargeError("usage", "the Destination header is missing");
  const path = pathOf(exchange, value.trim());
  if (path === undefined) {
    throw new Refusal(502, "refused", "the destination is not in this server's /dav/", {
      hint: publicUrlHint,
    });
  }
  exchange.logEntry.to = path;
  return path;
}

/** Reads the Depth header. @throws {BargeError} `usage` */
export function depth(exchange: Exchange): "0" | "1" | "infinity" | undefined {
  const value = exchange.header("depth")?.trim().toLowerCase();
  if (value === undefined || value === "0" || value === "1" || value === "infinity") return value;
  throw new BargeError("usage", "Depth is 0, 1 or infinity");
}

/** Returns whether the Depth header is infinity, its default. @throws {BargeError} `usage` for 1 */
export function isDeep(exchange: Exchange): boolean {
  const value = depth(exchange) ?? "infinity";
  if (value === "1") throw new BargeError("usage", "Depth is 0 or infinity");
  return value === "infinity";
}

/** Returns the error for a folder that a request changes only in part. */
export function needsInfinity(done: string): BargeError {
  const why = `a folder is ${done} with all its contents, so Depth must be infinity`;
  return new BargeError("usage", why);
}

/** Reads the Overwrite header. @throws {BargeError} `usage` */
export function mayOverwrite(exchange: Exchange): boolean {
  const value = exchange.header("overwrite")?.trim().toUpperCase() ?? "T";
  if (value !== "T" && value !== "F") throw new BargeError("usage", "Overwrite is T or F");
  return value === "T";
}

/** Reads the Timeout header. @returns its first supported value, in seconds */
export function timeout(exchange: Exchange): number {
  for (const each of (exchange.header("timeout") ?? "").split(",")) {
    const [, seconds] = /^\s*Second-(\d{1,10})\s*$/i.exec(each) ?? [];
    if (seconds) return Math.min(Math.max(Number(seconds), 1), maxLockSeconds);
    if (/^\s*Infinite\s*$/i.test(each)) return maxLockSeconds;
  }
  return defaultLockSeconds;
}
