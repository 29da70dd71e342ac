/** `barge ban lift`: ends bans before their time. */
import { BargeError } from "../../core/error.ts";
import { openAccounts } from "../_data/accounts.ts";
import { command } from "../_term/command.ts";
import { argument, common, dataOption } from "../_term/options.ts";
import { note, printJson } from "../_term/out.ts";
import { banFields } from "./list.ts";

export default command({
  options: {
    subject: argument("ADDRESS|ACCOUNT", "An address or account that `barge ban list` shows"),
    data: dataOption(),
    ...common,
  },
  usage: "ADDRESS|ACCOUNT",
  about:
    `Ends all bans of an address or an account, and deletes the record of failed logins that led
    to them. It takes effect on a running server at once.`,
  examples: [
    ["barge ban lift 192.0.2.7", "let everyone at that address try again"],
    ["barge ban lift alice", "let alice log in from anywhere"],
  ],
  async run({ subject, data, json }) {
    using open = await openAccounts(data);
    const lifted = open.bans.lift(subject);
    if (lifted.length === 0) {
      throw new BargeError("not-found", "there is no such ban", { op: "lift", path: subject });
    }
    if (json) return lifted.map(banFields).forEach(printJson);
    note(`lifted ${lifted.length} ${lifted.length === 1 ? "ban" : "bans"} of ${subject}`);
  },
});
