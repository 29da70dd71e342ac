/** The rule for the length of new passwords. */
import { counted } from "../counted.ts";
import { BargeError } from "../error.ts";

/** The fewest characters of a new password, by default. */
export const defaultMinPasswordLength = 8;
/** The highest minimum that an operator can set. */
export const maxMinPasswordLength = 256;

/**
 * Checks the length of a new password. A server can check it only where the password reaches it
 * (HTTP); at the native door the client checks it, by `minPassword` of the server's `hello`.
 *
 * @param minLength in Unicode code points after normalization (NFC), as passwords are hashed; an
 *   empty password is always refused
 * @throws {BargeError} `usage`
 *
 * @example
 * ```ts
 * import { checkNewPassword } from "./password.ts";
 * checkNewPassword("correct horse", 8);
 * ```
 */
export function checkNewPassword(password: string, minLength: number): void {
  const length = [...password.normalize("NFC")].length;
  if (length === 0) throw new BargeError("usage", "the password is empty");
  if (length >= minLength) return;
  const why = `the password has ${counted(length, "character")}, and needs ${minLength} at least`;
  throw new BargeError("usage", why, { hint: "choose a longer one" });
}
