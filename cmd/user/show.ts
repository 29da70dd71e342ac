/** `barge user show`: one account. */
import { accountFields, accountsCommand, stateOf } from "../_data/accounts.ts";
import { argument } from "../_term/command.ts";
import { print, printJson } from "../_term/out.ts";
import { number } from "../_term/progress.ts";
import { baseOf, formatLimit, formatSize } from "../../core/size.ts";

export default accountsCommand({
  options: { name: argument("NAME", "The account") },
  about: `Shows one account: role, used bytes, limits, tokens. Fails with exit code 4 if there is no
    such account.`,
  examples: [["barge user show alice", "show alice's role, bytes and tokens"]],
  async run({ name, json }, stores) {
    const account = await stores.accounts.get(name);
    const tokens = (await stores.logins.tokens(account.id)).length;
    const { used, reserved, limit, entries, entryLimit, expires, from } = account;
    if (json) return printJson({ ...accountFields(account), reserved, tokens });
    print(account.name);
    print(`  role      ${account.role}${stateOf(account)}`);
    print(`  used      ${formatSize(used, baseOf(limit))}`);
    if (reserved > 0) {
      print(`  reserved  ${formatSize(reserved, baseOf(limit))} for uploads that are not complete`);
    }
    print(`  limit     ${formatLimit(limit)}`);
    print(`  entries   ${number(entries)} of ${entryLimit === null ? "any" : number(entryLimit)}`);
    print(`  tokens    ${tokens}`);
    if (expires !== null) print(`  expires   ${new Date(expires).toISOString()}`);
    if (from !== null) print(`  from      ${from.join(", ")}`);
    if (account.totp) print("  totp      on");
    print(`  created   ${new Date(account.created).toISOString()}`);
  },
});
