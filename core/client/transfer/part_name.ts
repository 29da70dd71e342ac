/**
 * Returns whether a name is that of a download's part. Its sixteen hexadecimal digits distinguish
 * it from users' files such as `film.part`.
 *
 * @example
 * ```ts
 * import { isPartName } from "./part_name.ts";
 * if (!isPartName(".a.tar.0123456789abcdef.part") || isPartName("a.part")) throw new Error();
 * ```
 */
export function isPartName(name: string): boolean {
  return /^\..+\.[0-9a-f]{16}\.part$/s.test(name);
}
