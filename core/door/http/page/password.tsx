/** Choosing a password. */
import { BargeError } from "../../../error.ts";

/** The two fields of a form. */
export function NewPassword() {
  return (
    <>
      <div class="field">
        <label for="new">Password</label>
        <input id="new" name="password" type="password" autocomplete="new-password" required />
      </div>
      <div class="field">
        <label for="again">The same again</label>
        <input id="again" name="again" type="password" autocomplete="new-password" required />
      </div>
    </>
  );
}

/** @throws {BargeError} `usage` when there is none, or it was typed in two ways */
export function checkPassword(password: string, again: string | null): void {
  if (password === "") throw new BargeError("usage", "the password is empty");
  if (password !== again) throw new BargeError("usage", "the two passwords differ");
}
