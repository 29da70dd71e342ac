/**
 * The paths that every door shows, and where they lie on disk.
 *
 *   /            holds only /home and /public
 *   /home/...    homes/NAME/...   the account's own
 *   /public/...  public/...       shared
 *
 * A path is refused when it is not absolute, has an empty, `.` or `..` part, a NUL, a part over 255
 * bytes, is over 3,000 bytes, or is not valid Unicode. The vault checks places again: it follows no
 * symbolic link.
 */
import { BargeError } from "../error.ts";
import { type Place, relative } from "./place.ts";

const maxPartBytes = 255;
const maxPathBytes = 3000;
const encoder = new TextEncoder();

/** A path that has been checked. */
export interface Location {
  /** The path as users see it: `/home/a/b`. */
  readonly path: string;
  readonly space: "root" | "home" | "public";
  /** The place of the path; undefined for `/`. */
  readonly place: Place | undefined;
  /** Whether it is `/`, `/home` or `/public`, which always exist. */
  readonly fixed: boolean;
}

/**
 * Checks a path and finds its place.
 *
 * @param path as the client sent it
 * @param account the name of the account that `/home` belongs to
 * @throws {BargeError} `usage` for a malformed path, `not-found` outside of `/home` and `/public`
 *
 * @example
 * ```ts
 * import { locate } from "./path.ts";
 * const { place } = locate("/home/a/b", "alice");
 * if (place?.dir !== "homes/alice/a" || place.name !== "b") throw new Error();
 * ```
 */
export function locate(path: string, account: string): Location {
  const parts = checkPath(path);
  if (parts.length === 0) return { path: "/", space: "root", place: undefined, fixed: true };
  const [space, ...rest] = parts;
  if (space !== "home" && space !== "public") {
    throw new BargeError("not-found", "there is only /home and /public", { path });
  }
  const base = space === "home" ? ["homes", account] : ["public"];
  const all = [...base, ...rest];
  const name = all.pop()!;
  return { path, space, place: { dir: all.join("/"), name }, fixed: rest.length === 0 };
}

/**
 * Returns the path of a place, as the account sees it whose home the place is in.
 *
 * @example
 * ```ts
 * import { pathOf } from "./path.ts";
 * if (pathOf({ dir: "homes/alice/a", name: "b" }) !== "/home/a/b") throw new Error();
 * ```
 */
export function pathOf(place: Place): string {
  return `/${relative(place).replace(/^homes\/[^/]+/, "home")}`;
}

/**
 * Returns whether a path is that of a folder, or below it.
 *
 * @param path, folder as in {@link Location.path}
 *
 * @example
 * ```ts
 * import { isWithin } from "./path.ts";
 * if (!isWithin("/home/a/b", "/home/a") || !isWithin("/home", "/")) throw new Error();
 * if (isWithin("/home/ab", "/home/a")) throw new Error();
 * ```
 */
export function isWithin(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}

/** Returns the parts of a path. @throws {BargeError} `usage` for a malformed path */
function checkPath(path: string): string[] {
  const refuse = (why: string) => new BargeError("usage", why, { path: printable(path) });
  if (!path.startsWith("/")) throw refuse("a remote path begins with /home or /public");
  if (path === "/") return [];
  if (!path.isWellFormed()) throw refuse("not valid Unicode");
  if (path.includes("\0")) throw refuse("a path can't hold a NUL");
  if (path.length * 3 > maxPathBytes && encoder.encode(path).length > maxPathBytes) {
    throw refuse(`longer than ${maxPathBytes} bytes`);
  }
  const parts = path.slice(1).split("/");
  for (const part of parts) {
    if (part === "") throw refuse("an empty part between slashes, or a slash at the end");
    if (part === "." || part === "..") throw refuse("`.` and `..` are not allowed in a path");
    if (part.length * 3 > maxPartBytes && encoder.encode(part).length > maxPartBytes) {
      throw refuse(`a name longer than ${maxPartBytes} bytes`);
    }
  }
  return parts;
}

/** Makes a path short and valid, so that the refusal can be sent. */
function printable(path: string): string {
  const short = path.length > 200 ? path.slice(0, 200) + "…" : path;
  return short.toWellFormed().replaceAll("\0", "\\0");
}
