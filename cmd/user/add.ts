/** `barge user add`: makes an account. */
import { BargeError } from "../../core/error.ts";
import { argument, command, flag, value, values as several } from "../_term/command.ts";
import { accountFields, accountsOptions, networksOf, openAccounts } from "../_data/accounts.ts";
import { countOrNone, endOrNone, oneOf, plain, sizeOrNone } from "../_term/value.ts";
import {
  minPasswordOption,
  newPassword,
  newPasswordOptions,
  printWithPassword,
} from "../_client/password.ts";
import { formatLimit } from "../../core/size.ts";

export default command({
  options: {
    name: argument("NAME", "The account's name: letters, digits, . _ -"),
    admin: flag("Short for --role admin"),
    role: value(oneOf("user", "admin"), "Its role. Default: user"),
    quota: value(sizeOrNone(), "Its quota. Default: 1MB; for an admin, none"),
    entries: value(
      countOrNone(),
      "The most files, folders and partial uploads. Default: 100000, and 10000 more for each GiB of " +
        "its quota; without a quota, none",
    ),
    expires: value(
      endOrNone(),
      "When it ends: a date like 2027-01-31, a span like 90d. Default: none",
    ),
    from: several(
      plain("CIDR"),
      "A network that it may log in from; may be repeated. Default: any",
    ),
    adopt: flag(
      "Give it the existing files in homes/NAME, and make a new accounts.db if the old one is lost",
    ),
    ...newPasswordOptions,
    ...minPasswordOption,
    ...accountsOptions,
  },
  about:
    `Makes an account in a data directory; the account can log in to a running server at once. A
    missing directory is made if --data or BARGE_DATA names it; the default directory is made only by
    \`barge serve\`. With --store, missing tables are made.

    A new account never takes over files. If homes/NAME has files, left by an account that was removed
    by hand or whose database was lost, the command fails with exit code 14. --adopt gives these files
    to the account; run \`barge verify --repair\` after that, so that they count against its quota.

    The password comes from one of the --password options, --generate, BARGE_PASSWORD or a prompt,
    never from the command line, where other users could read it.`,
  examples: [
    ["barge user add alice --quota 20GiB", "enter a password and make `alice`"],
    ["barge user add bob --generate", "make `bob` and print his new password"],
  ],
  async run(values, { signal }) {
    const { name, admin, role: namedRole, quota, entries, adopt, minPassword, json } = values;
    const { expires } = values;
    const from = networksOf(values.from);
    await using stores = await openAccounts(values, { create: true, adopt });
    const { accounts } = stores;
    const { checkAccountName } = await import("../../core/storage/account_rules.ts");
    const { defaultQuota } = await import("../../core/storage/accounts.ts");
    checkAccountName(name);
    if (await accounts.find(name)) {
      throw new BargeError("exists", "the account exists already", { op: "user add", path: name });
    }
    const question = `Password for ${name}`;
    const { password, generated } = await newPassword(values, question, minPassword, signal);
    const { makeVerifier } = await import("../../core/protocol/verifier.ts");
    const verifier = await makeVerifier("password", password);
    const role = namedRole ?? (admin ? "admin" : "user");
    const limit = quota === undefined ? defaultQuota(role) : quota;
    const facts = { name, role, limit, entryLimit: entries, expires, from, verifier, adopt };
    const account = await accounts.add(facts);
    const what = account.role === "admin" ? "the admin" : "the account";
    const made = `made ${what} ${account.name}, quota ${formatLimit(account.limit)}`;
    const line = account.expired ? `${made}; it has expired already` : made;
    printWithPassword(json, accountFields(account), [line], generated);
  },
});
