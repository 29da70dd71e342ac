/**
 * Converts a URL's path to a path of the tree, and back. The path is decoded once, part by part. Paths that
 * change their meaning by decoding are refused: `.` and `..` in any spelling, an encoded `/` or NUL, a
 * stray `%`, bytes that are not UTF-8. The session checks the result again (storage/path.ts).
 */
import { BargeError } from "../../error.ts";
import { Refusal } from "./problem.ts";

/** Enough for the longest path of the tree: 3,000 bytes, three characters each. */
const maxUrlLength = 10_000;

/** The target of a request: its path, still encoded, and the text after the first `?`. */
export type Target = Readonly<Record<"path" | "query", string>>;

/** The start of a target in absolute form, with its host and port. */
const absoluteForm = /^https?:\/\/([^/?#\\]*)/i;

/** Returns the host and port in a target of absolute form. */
export function authorityOf(target: string): string | undefined {
  return absoluteForm.exec(target)?.[1];
}

/**
 * Splits a request's target (RFC 9112, section 3.2), in origin or absolute form.
 *
 * @throws {BargeError} `usage` for a malformed target; {Refusal} 414
 *
 * @example
 * ```ts
 * import { parseTarget } from "./path.ts";
 * const { path, query } = parseTarget("/api/v1/files/home?archive=zip");
 * if (path !== "/api/v1/files/home" || query !== "archive=zip") throw new Error();
 * ```
 */
export function parseTarget(target: string): Target {
  if (target.length > maxUrlLength) throw new Refusal(414, "usage", "the URL is too long");
  const origin = target.replace(absoluteForm, "");
  const mark = origin.indexOf("?");
  const path = mark === -1 ? origin : origin.slice(0, mark);
  if (!/^\/[!-~]*$/.test(path) || /[\\#]/.test(path)) {
    throw new BargeError("usage", "the URL's path is malformed");
  }
  for (const part of path.split("/")) decodePart(part);
  return { path, query: mark === -1 ? "" : origin.slice(mark + 1) };
}

/** A path of the tree; `folder` is true if the URL ends in a slash. */
export interface TreePath {
  readonly path: string;
  readonly folder: boolean;
}

/**
 * Returns the path of the tree in a URL.
 *
 * @param encoded the URL's path after the route: `/home/a%20b`; the empty string stands for `/`
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

/** Encodes a path of the tree for a URL: `/home/a b?` as `/home/a%20b%3F`. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function decodePart(part: string): string {
  const refuse = (what: string) => new BargeError("usage", `the URL's path has ${what}`);
  let name: string;
  try {
    name = decodeURIComponent(part);
  } catch {
    throw refuse("bytes that are not percent-encoded UTF-8");
  }
  if (name === "." || name === "..") throw refuse("a part `.` or `..`");
  if (name.includes("/")) throw refuse("an encoded slash");
  if (name.includes("\0")) throw refuse("a NUL");
  return name;
}

/** Paths that need no prefix: programs of the operator request them from the door directly. */
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

/** Decodes a path or a part of it; returns a malformed one as it is. */
export function decodeLeniently(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Splits a path of the tree into its folder and its name. */
export function split(path: string): { dir: string; name: string } {
  const slash = path.lastIndexOf("/");
  return { dir: path.slice(0, slash) || "/", name: path.slice(slash + 1) };
}

/** Returns the path of a name in a folder. */
export function join(dir: string, name: string): string {
  return dir === "/" ? `/${name}` : `${dir}/${name}`;
}
