/** The paths that SSH clients send: relative ones, with dots, slashes at their end, a tilde. */
import { BargeError } from "../../error.ts";

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

/**
 * Expands a path that begins with `~`, `~/` or `~NAME`, where NAME is the account itself, to one
 * below `/home`. Returns any other path unchanged.
 *
 * @param account the account that is logged in
 * @throws {BargeError} `denied` for the home of another account: there is no path to it
 *
 * @example
 * ```ts
 * import { expandTilde } from "./paths.ts";
 * if (expandTilde("~/a", "anna") !== "/home/a" || expandTilde("~anna", "anna") !== "/home") throw new Error();
 * if (expandTilde("./~/a", "anna") !== "./~/a") throw new Error();
 * ```
 */
export function expandTilde(path: string, account: string): string {
  const [, name, rest] = /^~([^/]*)(.*)$/s.exec(path) ?? [];
  if (name === undefined) return path;
  if (name === "" || name === account) return `${start}${rest}`;
  throw new BargeError("denied", `there is no path to the home of ${name}`, {
    hint: "one's own files are in ~/ or /home, those that everyone shares in /public",
  });
}

/** The last part of a path; of `/` none. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
