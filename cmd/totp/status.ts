/** `barge totp status`: the second factor of your account. */
import { totpState } from "../../core/client/totp.ts";
import { sessionCommand } from "../_client/session.ts";
import { print, printJson } from "../_term/out.ts";
import { counted } from "../_term/progress.ts";

export default sessionCommand({
  options: {},
  about: `Shows whether your account has a second factor, whether the server requires one, and how
    many recovery codes are left.`,
  examples: [["barge totp status", "show it"]],
  async run({ json }, { client, login }) {
    const state = await totpState(client);
    if (json) return printJson({ account: login.account, ...state });
    const required = state.required ? ", required" : "";
    print(
      state.enabled
        ? `on${required}, ${counted(state.recoveryCodes, "recovery code")} left`
        : `off${required}`,
    );
  },
});
