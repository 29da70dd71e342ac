/** Paths as they are typed in the shell, on both sides. No I/O but the look at HOME. */

/** The folders at the root of every server. */
export const home = "/home";
export const shared = "/public";

/**
 * The absolute remote path that a typed one means. A slash at the end stays, since it says "the
 * folder" to put and get; nothing leads above the root.
 *
 * @param folder where one is
 *
 * @example
 * ```ts
 * import { resolveRemote } from "./paths.ts";
 * if (resolveRemote("/home/a", "../b/./c/") !== "/home/b/c/") throw new Error();
 * if (resolveRemote("/home", "../../..") !== "/" || resolveRemote("/home", "") !== "/home") throw new Error();
 * ```
 */
export function resolveRemote(folder: string, typed: string): string {
  const parts: string[] = [];
  for (const part of (typed.startsWith("/") ? typed : `${folder}/${typed}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const path = `/${parts.join("/")}`;
  return typed.endsWith("/") && path !== "/" ? `${path}/` : path;
}

/**
 * Where a name starts that is meant to be in one of the two spaces: in the working folder if that
 * is there, else at the space's root.
 *
 * @example
 * ```ts
 * import { baseIn } from "./paths.ts";
 * if (baseIn("/public", "/home/x") !== "/public") throw new Error();
 * if (baseIn("/public", "/public/x") !== "/public/x") throw new Error();
 * ```
 */
export function baseIn(space: string, folder: string): string {
  return `${folder}/`.startsWith(`${space}/`) ? folder : space;
}

/** A local path with `~` at its start made the home folder. */
export function expandHome(typed: string): string {
  if (typed !== "~" && !typed.startsWith("~/")) return typed;
  const at = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  return at ? at + typed.slice(1) : typed;
}
