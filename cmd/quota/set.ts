/** `barge quota set`: changes an account's capacity. */
import { openAccounts } from "../_term/accounts.ts";
import { command } from "../_term/command.ts";
import { argument, argumentOf, common, dataOption, sizeOrNone } from "../_term/options.ts";
import { printQuota, quotaOf } from "../_term/quota.ts";

export default command({
  options: {
    name: argument("NAME", "The account"),
    limit: argumentOf(sizeOrNone(), "Its capacity from now on"),
    data: dataOption(),
    ...common,
  },
  usage: "NAME SIZE|none",
  about: `Changes how much an account may keep. Below what it uses is allowed: it then can't write
    until it has removed enough.`,
  examples: [
    ["barge quota set alice 20GiB", "give alice 20 GiB"],
    ["barge quota set backup none", "no limit for `backup`"],
  ],
  async run({ name, limit, data, json }) {
    using open = await openAccounts(data);
    printQuota(quotaOf(open.accounts.change(name, { limit })), json);
  },
});
