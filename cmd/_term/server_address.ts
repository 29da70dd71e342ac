/** Detects addresses of servers where a verb takes none. */

const pattern = /^(?:barge:\/\/|[^@:/\s]+@[^@/\s]+(?::|$)|[^@:/\s]{2,}:[/\d])/;

/**
 * Returns whether a word begins as the address of a server does, alone or before a path as in `scp`.
 *
 * @example
 * ```ts
 * import { isLikeAddress } from "./server_address.ts";
 * for (const word of ["barge://box", "bob@box", "bob@[::1]:/home", "box:/home", "box:7171"]) {
 *   if (!isLikeAddress(word)) throw new Error(word);
 * }
 * for (const word of ["C:/home", "a:b", "home/bob@box", "/home/a"]) {
 *   if (isLikeAddress(word)) throw new Error(word);
 * }
 * ```
 */
export function isLikeAddress(word: string): boolean {
  return pattern.test(word);
}
