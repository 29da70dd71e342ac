/** The paths that SSH clients send: relative ones, with dots, slashes at their end, a tilde. */

/** Where a client is that has gone nowhere yet. */
export const start = "/home";

/**
 * A path as the session takes it: absolute, without `.`, `..` and empty parts. There are no links, so
 * that `..` can be taken away without a look at the disk; above `/` there is nothing.
 *
 * @example
 * ```ts
 * import { resolve } from "./paths.ts";
 * if (resolve("a/./b//") !== "/home/a/b") throw new Error();
 * if (resolve("") !== "/home" || resolve("/../..") !== "/") throw new Error();
 * if (resolve("/home/../public/x") !== "/public/x") throw new Error();
 * ```
 */
export function resolve(path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${start}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** `~`, `~/a` and `~NAME/a` as a path: everybody sees their own home as `/home`. */
export function expand(path: string): string {
  return resolve(path.replace(/^~[^/]*\/?/, `${start}/`));
}

/** The last part of a path; of `/` none. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
