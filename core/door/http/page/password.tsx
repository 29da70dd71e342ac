/** The fields of a new password. */
import { BargeError } from "../../../error.ts";
import { defaultMinPassword } from "../../../protocol/password.ts";
import { checkPasswordLength } from "../../../login/change_password.ts";
import type { Service } from "../../../login/service.ts";

export function NewPassword({ store }: { store: Service }) {
  const minLength = store.settings.minPassword ?? defaultMinPassword;
  return (
    <>
      <div class="field">
        <label for="new">Password</label>
        <input
          id="new"
          name="password"
          type="password"
          autocomplete="new-password"
          minlength={minLength}
          required
        />
        {minLength > 1 && <small>At least {minLength} characters</small>}
      </div>
      <div class="field">
        <label for="again">Repeat the password</label>
        <input id="again" name="again" type="password" autocomplete="new-password" required />
      </div>
    </>
  );
}

/** Checks a new password. @throws {BargeError} `usage` if it is too short, or the two differ */
export function checkPassword(store: Service, password: string, repeated: string | null): void {
  checkPasswordLength(store, password);
  if (password !== repeated) throw new BargeError("usage", "the two passwords differ");
}
