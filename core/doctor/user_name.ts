/** Names a user of this machine in a finding. */

/**
 * Returns `root` or `the user N`.
 *
 * @param uid the number of a user, also as text
 *
 * @example
 * ```ts
 * import { userName } from "./user_name.ts";
 *
 * if (userName(0) !== "root" || userName("1000") !== "the user 1000") throw new Error();
 * ```
 */
export function userName(uid: number | string): string {
  return Number(uid) === 0 ? "root" : `the user ${uid}`;
}
