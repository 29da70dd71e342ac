/** `barge user list`: all accounts. */
import { accountFields, accountsCommand, stateOf } from "../_data/accounts.ts";
import { printJson } from "../_term/out.ts";
import { baseOf, formatLimit, formatSize } from "../../core/size.ts";
import { printTable } from "../_term/table.ts";

export default accountsCommand({
  options: {},
  about: `Lists the accounts of a server.`,
  examples: [["barge user list --json | jq -r .name", "the names alone"]],
  async run({ json }, stores) {
    const accounts = await stores.accounts.list();
    if (json) return accounts.forEach((account) => printJson(accountFields(account)));
    const rows = accounts.map(({ name, role, used, limit, totp, created, ...account }) => [
      name,
      role + stateOf(account),
      formatSize(used, baseOf(limit)),
      formatLimit(limit),
      totp ? "on" : "",
      new Date(created).toISOString().slice(0, 10),
    ]);
    printTable(["NAME", "ROLE", "USED", "LIMIT", "TOTP", "CREATED"], rows, [2, 3]);
  },
});
