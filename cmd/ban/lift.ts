/** `barge ban lift`: ends bans before their time. */
import { BargeError } from "../../core/error.ts";
import { accountsCommand } from "../_data/accounts.ts";
import { argument } from "../_term/command.ts";
import { note, printJson } from "../_term/out.ts";
import { counted } from "../_term/progress.ts";
import { banFields } from "./list.ts";

export default accountsCommand({
  options: {
    subject: argument("ADDRESS|ACCOUNT", "An address or account that `barge ban list` shows"),
  },
  about:
    `Ends all bans of an address or an account, and deletes the record of failed logins that led
    to them. It takes effect on a running server at once.`,
  examples: [
    ["barge ban lift 192.0.2.7", "let everyone at that address try again"],
    ["barge ban lift alice", "let alice log in from anywhere"],
  ],
  async run({ subject, json }, { logins }) {
    const lifted = await logins.liftBans(subject);
    if (lifted.length === 0) {
      throw new BargeError("not-found", "there is no such ban", { path: subject });
    }
    if (json) return lifted.map(banFields).forEach(printJson);
    note(`lifted ${counted(lifted.length, "ban")} of ${subject}`);
  },
});
