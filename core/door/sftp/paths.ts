/** Resolves the paths of SSH clients: relative ones, with dots, trailing slashes or a tilde. */
import { BargeError } from "../../error.ts";

/** The working directory of a new session. */
export const start = "/home";

/**
 * Returns an absolute path without `.`, `..` and empty parts. There are no links, so `..` can be
 * resolved without the disk. The parent of `/` is `/`.
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

/** Returns the last part of a path; of `/` the empty string. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
