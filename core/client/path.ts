/** Splits and joins paths with slashes, local and remote. Does no I/O. */

/**
 * Returns the last name of a path; "" where it has none, as `/` and `.` have none.
 */
export function baseName(path: string): string {
  const trimmed = trimSlashes(path);
  const name = trimmed.slice(trimmed.lastIndexOf("/") + 1);
  return name === "." || name === ".." ? "" : name;
}

/** Returns a path without the slashes at its end; the root stays `/`. */
export function trimSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}

/**
 * Returns the path of a name inside a folder; the folder's own path for the name "".
 */
export function join(folder: string, name: string): string {
  const base = trimSlashes(folder);
  if (name === "") return base;
  return base.endsWith("/") ? base + name : `${base}/${name}`;
}

/** Returns the folder that a path is in. */
export function parentOf(path: string): string {
  const trimmed = trimSlashes(path);
  const slash = trimmed.lastIndexOf("/");
  return slash === -1 ? "." : slash === 0 ? "/" : trimmed.slice(0, slash);
}

/**
 * Returns whether a source stands for the contents of a folder and not for the folder itself, as
 * in rsync: it ends in a slash, or the folder has no name of its own.
 */
export function meansContents(source: string): boolean {
  return source.endsWith("/") || baseName(source) === "";
}
