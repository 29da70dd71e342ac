/** `barge ban list`: the bans after failed logins. */
import type { Ban } from "../../core/storage/logins.ts";
import { accountsCommand } from "../_data/accounts.ts";
import { printJson } from "../_term/out.ts";
import { minute, printTable } from "../_term/table.ts";

export default accountsCommand({
  options: {},
  about:
    `Lists the bans after failed logins, and their ends. A ban is for an address, for an account
    at one address, or for an account at all addresses from which it has not logged in during the
    last 90 days. A name that no account has is shown as \`?\` and a digest.`,
  examples: [["barge ban list", "show all bans"]],
  async run({ json }, { logins }) {
    const bans = await logins.bans();
    if (json) return bans.map(banFields).forEach(printJson);
    const rows = bans.map((ban) => [
      ban.account ?? "any",
      ban.address ?? "anywhere new",
      minute(ban.until),
      String(ban.times),
    ]);
    printTable(["ACCOUNT", "ADDRESS", "UNTIL", "TIMES"], rows, [3]);
  },
});

/** A ban as `--json` shows it. The fields are frozen. */
export function banFields({ account, address, since, until, times }: Ban) {
  const time = (ms: number) => new Date(ms).toISOString();
  return { account, address, since: time(since), until: time(until), times };
}
