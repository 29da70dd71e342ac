/** Choosing a password. */
import { BargeError } from "../../../error.ts";
import { defaultMinPassword } from "../../../protocol/password.ts";
import { checkPasswordLength } from "../../../login/change_password.ts";
import type { Service } from "../../../login/service.ts";

/** The two fields of a form. */
export function NewPassword({ store }: { store: Service }) {
  const least = store.settings.minPassword ?? defaultMinPassword;
  return (
    <>
      <div class="field">
        <label for="new">Password</label>
        <input
          id="new"
          name="password"
          type="password"
          autocomplete="new-password"
          minlength={least}
          required
        />
        {least > 1 && <small>{least} characters at least</small>}
      </div>
      <div class="field">
        <label for="again">The same again</label>
        <input id="again" name="again" type="password" autocomplete="new-password" required />
      </div>
    </>
  );
}

/** @throws {BargeError} `usage` when it is too short, or was typed in two ways */
export function checkPassword(store: Service, password: string, again: string | null): void {
  checkPasswordLength(store, password);
  if (password !== again) throw new BargeError("usage", "the two passwords differ");
}
