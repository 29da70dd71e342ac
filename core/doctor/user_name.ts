/** Names users of this machine in messages. */
import { readOrNothing, userOf } from "./server_user.ts";

/** Returns the name of a user; undefined for one without an entry in /etc/passwd. @param uid also as text */
export function userName(uid: number | string): string | undefined {
  const name = userOf(uid, readOrNothing("/etc/passwd"), "", [])?.name;
  return name === `${uid}` ? undefined : name;
}

/**
 * Returns `root`, or `the user` with the name or the number.
 *
 * @param uid the number of a user, also as text
 *
 * @example
 * ```ts
 * import { describeUser } from "./user_name.ts";
 *
 * if (describeUser(0) !== "root") throw new Error();
 * if (describeUser("3999999999") !== "the user 3999999999") throw new Error();
 * ```
 */
export function describeUser(uid: number | string): string {
  return Number(uid) === 0 ? "root" : `the user ${userName(uid) ?? uid}`;
}
