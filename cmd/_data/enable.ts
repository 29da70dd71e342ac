/** `barge user enable` and `barge user disable`. */
import { accountFields, openAccounts } from "./accounts.ts";
import { command } from "../_term/command.ts";
import { argument, common, dataOption } from "../_term/options.ts";
import { note, printJson } from "../_term/out.ts";

/** Returns the verb that enables or disables an account. */
export function enableCommand(disabled: boolean, about: string) {
  const verb = disabled ? "disable" : "enable";
  return command({
    options: { name: argument("NAME", "The account"), data: dataOption(), ...common },
    usage: "NAME",
    about,
    examples: [[`barge user ${verb} bob`, `${verb} bob`]],
    async run({ name, data, json }) {
      using open = await openAccounts(data);
      const account = open.accounts.change(name, { disabled });
      if (json) printJson(accountFields(account));
      else note(`${account.name} is ${verb}d`);
    },
  });
}
