/** Resolves the paths that are typed in the shell. Reads HOME, and does no other I/O. */

/** The folders at the root of every server. */
export const home = "/home";
export const shared = "/public";

/**
 * Returns the absolute form of a typed remote path. A slash at the end stays, since put and get
 * distinguish it; `..` does not lead above the root.
 *
 * @param folder the working folder
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
 * Returns the folder from which a name in /home or /public is resolved: the working folder if it is
 * inside `root`, else `root`.
 *
 * @param root `/home` or `/public`
 * @param folder the working folder
 */
export function baseIn(root: string, folder: string): string {
  return `${folder}/`.startsWith(`${root}/`) ? folder : root;
}

/** Returns a local path with `~` at its start replaced by the home folder. */
export function expandHome(typed: string): string {
  if (typed !== "~" && !typed.startsWith("~/")) return typed;
  const at = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  return at ? at + typed.slice(1) : typed;
}
