/** `barge user enable` and `barge user disable`. */
import { accountFields, accountsCommand } from "./accounts.ts";
import { argument } from "../_term/command.ts";
import { note, printJson } from "../_term/out.ts";

/** Returns the verb that enables or disables an account. */
export function enableCommand(disabled: boolean, about: string) {
  const verb = disabled ? "disable" : "enable";
  return accountsCommand({
    options: { name: argument("NAME", "The account") },
    about,
    examples: [[`barge user ${verb} bob`, `${verb} bob`]],
    run({ name, json }, { accounts }) {
      const account = accounts.change(name, { disabled });
      if (json) printJson(accountFields(account));
      else note(`${account.name} is ${verb}d`);
    },
  });
}
