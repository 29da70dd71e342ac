/** `barge quota list`: the quotas of all accounts. */
import { accountsCommand } from "../_data/accounts.ts";
import { quotaOf } from "../_client/quota.ts";
import { number } from "../_term/progress.ts";
import { printJson } from "../_term/out.ts";
import { baseOf, formatLimit, formatSize } from "../../core/size.ts";
import { printTable } from "../_term/table.ts";

export default accountsCommand({
  options: {},
  about: `Lists the used, reserved and available bytes of all accounts of a server.`,
  examples: [["barge quota list", "show the bytes of each account"]],
  async run({ json }, { accounts }) {
    const quotas = (await accounts.list()).map(quotaOf);
    if (json) return quotas.forEach(printJson);
    const rows = quotas.map(({ account, used, reserved, limit, left, ...counts }) => [
      account,
      formatSize(used, baseOf(limit)),
      formatSize(reserved, baseOf(limit)),
      formatLimit(limit),
      left === null ? "none" : formatSize(left, baseOf(limit)),
      number(counts.entries ?? 0),
      counts.entryLimit === null ? "none" : number(counts.entryLimit ?? 0),
    ]);
    const columns = ["ACCOUNT", "USED", "RESERVED", "LIMIT", "LEFT", "ENTRIES", "MOST"];
    printTable(columns, rows, [1, 2, 3, 4, 5, 6]);
  },
});
