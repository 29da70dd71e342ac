/** `barge totp disable`: makes the password suffice again. */
import { disableTotp } from "../../core/client/totp.ts";
import { needCode, totpCommand } from "../_client/totp.ts";
import { note, printJson } from "../_term/out.ts";

export default totpCommand({
  options: {},
  about: `Disables the second factor of your account, and drops its recovery codes. It needs the
    password and a code, or a recovery code. An operator removes the second factor of an account
    with \`barge user set NAME --no-totp\`.`,
  examples: [["barge totp disable", "enter the password and a code"]],
  async run(values, factor, { signal }) {
    const { account, password, at } = factor;
    const code = await needCode(values, factor, signal);
    await at((client) => disableTotp(client, { account, password, code }));
    if (values.json) printJson({ account, enabled: false });
    else note(`the second factor of ${account} is disabled`);
  },
});
