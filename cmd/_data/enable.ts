/** `barge user enable` and `barge user disable`. */
import { accountFields, accountsCommand } from "./accounts.ts";
import { argument } from "../_term/command.ts";
import { note, printJson } from "../_term/out.ts";

const about = {
  enable: `Lets a disabled account log in again, with its old password and tokens.`,
  disable: `Keeps an account from logging in. Its files stay, and those in /public stay visible. A
    login gets the same answer as one with a wrong password.`,
};

/** Returns the verb that enables or disables an account. */
export function enableVerb(verb: keyof typeof about) {
  return accountsCommand({
    options: { name: argument("NAME", "The account") },
    about: about[verb],
    examples: [[`barge user ${verb} bob`, `${verb} bob`]],
    async run({ name, json }, { accounts }) {
      const account = await accounts.change(name, { disabled: verb === "disable" });
      if (json) printJson(accountFields(account));
      else note(`${account.name} is ${verb}d`);
    },
  });
}
