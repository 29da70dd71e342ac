/** Reads the table of mounted file systems, as /proc/self/mounts has it (proc(5), fstab(5)). */

export interface Mount {
  /** The folder where it is mounted. */
  readonly folder: string;
  /** The type of the file system: ext4, nfs4, tmpfs ... */
  readonly type: string;
  readonly options: readonly string[];
}

/**
 * Returns the mount that holds a path: the last one of those with the longest folder, which hides others.
 *
 * @param text the table
 * @param path absolute, without symbolic links
 *
 * @example
 * ```ts
 * import { mountOf } from "./mounts.ts";
 * const text = "/dev/sda1 / ext4 rw 0 0\nbox:/x /srv/my\\040files nfs4 rw,hard 0 0\n";
 * if (mountOf(text, "/srv/my files/barge")?.type !== "nfs4") throw new Error();
 * if (mountOf(text, "/srv/my filesystem")?.type !== "ext4") throw new Error();
 * ```
 */
export function mountOf(text: string, path: string): Mount | undefined {
  let found: Mount | undefined;
  for (const line of text.split("\n")) {
    const [, folder, type, options] = line.split(" ");
    if (options === undefined) continue;
    const mount = { folder: unescaped(folder), type, options: options.split(",") };
    const holds = path === mount.folder || path.startsWith(mount.folder.replace(/\/?$/, "/"));
    if (holds && mount.folder.length >= (found?.folder.length ?? 0)) found = mount;
  }
  return found;
}

/** Spaces, tabs, line ends and backslashes are octal numbers. */
function unescaped(field: string): string {
  const bytes = (octal: string) => String.fromCharCode(parseInt(octal, 8));
  return field.replace(/\\([0-7]{3})/g, (_, octal) => bytes(octal));
}
