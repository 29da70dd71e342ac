/** `barge quota set`: changes an account's quota. */
import { BargeError } from "../../core/error.ts";
import { accountsOptions, openAccounts } from "../_data/accounts.ts";
import { argument, command, optionalArgument, value } from "../_term/command.ts";
import { countOrNone, sizeOrNone } from "../_term/value.ts";
import { printQuota, quotaOf } from "../_client/quota.ts";

export default command({
  options: {
    name: argument("NAME", "The account"),
    limit: optionalArgument(sizeOrNone(), "The new quota"),
    entries: value(countOrNone(), "The most files, folders and partial uploads that it may have"),
    ...accountsOptions,
  },
  usage: "NAME [SIZE|none] [--entries N|none]",
  about: `Changes the quota of an account, and its entry limit: the most files, folders and partial
    uploads. Either may be less than the account uses now; it then can't write until it has removed
    enough. Without --entries the entry limit follows the quota: 100000, and 10000 more for each GiB.`,
  examples: [
    ["barge quota set alice 20GiB", "give alice 20 GiB"],
    ["barge quota set backup none", "no quota for `backup`"],
    ["barge quota set alice --entries 500000", "let alice have 500,000 files and folders"],
  ],
  async run(values) {
    const { name, limit, entries: entryLimit, json } = values;
    if (limit === undefined && entryLimit === undefined) {
      throw new BargeError("usage", "neither a quota nor --entries is given", {
        op: "quota set",
        path: name,
        hint: "barge quota set NAME 20GiB, or barge quota set NAME --entries 200000",
      });
    }
    await using stores = await openAccounts(values);
    printQuota(quotaOf(await stores.accounts.change(name, { limit, entryLimit })), json);
  },
});
