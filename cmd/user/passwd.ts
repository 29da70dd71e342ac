/** `barge user passwd`: gives an account a new password. */
import { accountsCommand } from "../_data/accounts.ts";
import { argument } from "../_term/command.ts";
import {
  minPasswordOption,
  newPassword,
  newPasswordOptions,
  printWithPassword,
} from "../_client/password.ts";

export default accountsCommand({
  options: {
    name: argument("NAME", "The account"),
    ...newPasswordOptions,
    ...minPasswordOption,
  },
  about:
    `Gives an account a new password; the old one is not needed. All logins with the old password
    end, at every door, and all tokens of the account are revoked. SSH keys stay: \`barge user key
    list\`. For \`admin\`, the file \`admin-password\`, which the first start wrote, is removed.`,
  examples: [["barge user passwd alice", "enter the new password"]],
  async run({ name, minPassword, json, ...sources }, { accounts }, { signal }) {
    const account = await accounts.get(name);
    const question = `New password for ${account.name}`;
    const { password, generated } = await newPassword(sources, question, minPassword, signal);
    const { makeVerifier } = await import("../../core/protocol/verifier.ts");
    await accounts.change(name, { verifier: await makeVerifier("password", password) });
    const done = `the password of ${account.name} is changed; its logins and tokens have ended`;
    printWithPassword(json, { name: account.name }, [done], generated);
  },
});
