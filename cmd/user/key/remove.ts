/** `barge user key remove`: removes public keys of an account. */
import { BargeError } from "../../../core/error.ts";
import { accountsCommand } from "../../_data/accounts.ts";
import { argument } from "../../_term/command.ts";
import { note, printJson } from "../../_term/out.ts";
import { counted } from "../../_term/progress.ts";

export default accountsCommand({
  options: {
    name: argument("NAME", "The account"),
    key: argument(
      "FINGERPRINT",
      "The fingerprint or comment that `barge user key list` shows, or `all`",
    ),
  },
  about: `Removes a public key of an account, so that nobody can log in with it. Connections that
    logged in with it are cut within three seconds, their transfers too.`,
  examples: [
    ["barge user key remove alice alice@laptop", "the laptop is lost"],
    ["barge user key remove alice all", "leave alice only her password"],
  ],
  async run({ name, key, json }, { accounts, logins }) {
    const { id } = await accounts.get(name);
    const matching = (await logins.keys(id))
      .filter(({ fingerprint, comment }) => [fingerprint, comment, "all"].includes(key));
    const removed = await logins.removeKeys(id, matching.map(({ fingerprint }) => fingerprint));
    if (removed.length === 0 && key !== "all") {
      throw new BargeError("not-found", `${name} has no such key`, { op: "remove", path: key });
    }
    for (const fingerprint of json ? removed : []) printJson({ fingerprint, removed: true });
    if (!json) note(`removed ${counted(removed.length, "key")} of ${name}`);
  },
});
