/**
 * From a URL's path to a path of the tree, and back.
 *
 * A path is decoded once, part by part, and refused when decoding could make it mean something else
 * than it says: `.` and `..` in any spelling, an encoded `/` or NUL, a stray `%`, what is not UTF-8
 * (overlong sequences among that). What is left is checked again by the session (vault/path.ts).
 */
import { BargeError } from "../../error.ts";
import { Refusal } from "./problem.ts";

/** Longer ones hold no path that the tree could have: 3,000 bytes, three characters each. */
const longest = 10_000;

/** What a request asks for. */
export interface Target {
  /** The path as it was sent, still encoded. */
  readonly path: string;
  /** What follows the first `?`. */
  readonly query: string;
}

/** The start of a target in absolute form, with its host and port. */
const absolute = /^https?:\/\/([^/?#\\]*)/i;

/** Returns the host and port in a target of absolute form; undefined for one of origin form. */
export function authorityOf(target: string): string | undefined {
  return absolute.exec(target)?.[1];
}

/**
 * Splits a request's target (RFC 9112, section 3.2), in origin or absolute form.
 *
 * @throws {BargeError} `usage` for what is no target, or could be read in two ways; {Refusal} 414
 *
 * @example
 * ```ts
 * import { parseTarget } from "./path.ts";
 * const { path, query } = parseTarget("/api/v1/files/home?archive=zip");
 * if (path !== "/api/v1/files/home" || query !== "archive=zip") throw new Error();
 * ```
 */
export function parseTarget(target: string): Target {
  if (target.length > longest) throw new Refusal(414, "usage", "the URL is too long");
  const origin = target.replace(absolute, "");
  const cut = origin.indexOf("?");
  const path = cut === -1 ? origin : origin.slice(0, cut);
  if (!/^\/[!-~]*$/.test(path) || /[\\#]/.test(path)) {
    throw new BargeError("usage", "the URL's path is malformed");
  }
  for (const part of path.split("/")) decodePart(part);
  return { path, query: cut === -1 ? "" : origin.slice(cut + 1) };
}

/** A path of the tree, and whether it was written as a folder's, with a slash at its end. */
export interface TreePath {
  readonly path: string;
  readonly folder: boolean;
}

/**
 * @param encoded what follows the prefix of a route: `/home/a%20b`; nothing is `/`
 * @throws {BargeError} `usage`
 *
 * @example
 * ```ts
 * import { treePath } from "./path.ts";
 * if (treePath("/home/a%20b").path !== "/home/a b") throw new Error();
 * if (!treePath("/home/").folder || treePath("/home/").path !== "/home") throw new Error();
 * ```
 */
export function treePath(encoded: string): TreePath {
  const folder = encoded === "" || encoded.endsWith("/");
  const bare = folder ? encoded.slice(0, -1) : encoded;
  if (bare === "") return { path: "/", folder: true };
  return { path: bare.split("/").map(decodePart).join("/"), folder };
}

/**
 * A tree's path as it stands in a URL.
 *
 * @example
 * ```ts
 * import { encodePath } from "./path.ts";
 * if (encodePath("/home/a b?") !== "/home/a%20b%3F") throw new Error();
 * ```
 */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function decodePart(part: string): string {
  const refuse = (why: string) => new BargeError("usage", `${why} in the URL's path`);
  let name: string;
  try {
    name = decodeURIComponent(part);
  } catch {
    throw refuse("what is not UTF-8, percent-encoded, is");
  }
  if (name === "." || name === "..") throw refuse("`.` and `..` are not allowed");
  if (name.includes("/")) throw refuse("an encoded slash is");
  if (name.includes("\0")) throw refuse("a NUL is");
  return name;
}

/** Paths that exist without the prefix, too: programs of the operator ask the door for them directly. */
const unprefixedPaths = new Set(["/healthz", "/readyz", "/metrics"]);

/**
 * Returns a path without the prefix of the public URL.
 *
 * @param path still encoded
 * @returns undefined for a path outside of the prefix
 *
 * @example
 * ```ts
 * import { withoutPrefix } from "./path.ts";
 * if (withoutPrefix("/files/home/a", "/files") !== "/home/a") throw new Error();
 * if (withoutPrefix("/f%69les", "/files") !== "/") throw new Error();
 * if (withoutPrefix("/filesystem", "/files") !== undefined) throw new Error();
 * ```
 */
export function withoutPrefix(path: string, prefix: string): string | undefined {
  if (prefix === "" || unprefixedPaths.has(path)) return path;
  const prefixParts = prefix.split("/");
  const parts = path.split("/");
  const start = parts.slice(0, prefixParts.length).map(decodeLeniently);
  if (prefixParts.some((part, i) => part !== start[i])) return undefined;
  return `/${parts.slice(prefixParts.length).join("/")}`;
}

/** Decodes a part of a path; returns a malformed one as it is. */
function decodeLeniently(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
