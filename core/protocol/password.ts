/** The least that a new password must be. Checked wherever one is known in clear. */
import { BargeError } from "../error.ts";

/** The fewest characters of a new password, where the operator decides nothing else. */
export const defaultMinPassword = 8;
/** The most characters that an operator can ask for. */
export const mostMinPassword = 256;

/**
 * Refuses a new password that is too short. A server can check this only where the password itself
 * reaches it (HTTP); on the native door the client does, by `minPassword` of the server's hello.
 *
 * @param least how many characters it has at least, counted as Unicode code points after
 *   normalization (NFC), as passwords are hashed; an empty one is always refused
 * @throws {BargeError} `usage`
 *
 * @example
 * ```ts
 * import { checkNewPassword } from "./password.ts";
 * checkNewPassword("correct horse", 8);
 * ```
 */
export function checkNewPassword(password: string, least: number): void {
  const length = [...password.normalize("NFC")].length;
  if (length === 0) throw new BargeError("usage", "the password is empty");
  if (length >= least) return;
  throw new BargeError(
    "usage",
    `the password has ${length} characters, and needs ${least} at least`,
    { hint: "choose a longer one" },
  );
}
