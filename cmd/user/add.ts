/** `barge user add`: makes an account. */
import { BargeError } from "../../core/error.ts";
import { command } from "../_term/command.ts";
import { accountFields, openAccounts } from "../_data/accounts.ts";
import { argument, common, dataOption, flag, value } from "../_term/options.ts";
import { note, print, printJson } from "../_term/out.ts";
import { countOrNone, oneOf, sizeOrNone } from "../_term/value.ts";
import { minPasswordOption, newPassword, newPasswordOptions } from "../_client/password.ts";
import { formatLimit } from "../../core/size.ts";

export default command({
  options: {
    name: argument("NAME", "The account's name: letters, digits, . _ -"),
    admin: flag(["--admin"], "Short for --role admin"),
    role: value(["--role"], oneOf("user", "admin"), "Its role. Default: user"),
    quota: value(["--quota"], sizeOrNone(), "Its quota. Default: 1MB; for an admin, none"),
    entries: value(
      ["--entries"],
      countOrNone(),
      "The most files, folders and partial uploads. Default: 100000, and 10000 more for each GiB of " +
        "its quota; without a quota, none",
    ),
    adopt: flag(
      ["--adopt"],
      "Give it the existing files in homes/NAME, and make a new database if the old one is lost",
    ),
    ...newPasswordOptions,
    ...minPasswordOption,
    data: dataOption(),
    ...common,
  },
  usage: "NAME",
  about: `Makes an account in a data directory; a server that runs on it knows it at once. If --data
    or BARGE_DATA names a missing directory, it is made; only \`barge serve\` makes the default one.

    A new account never takes over files: if homes/NAME holds any, of an account that was removed by
    hand or whose database was lost, this fails with 14. --adopt gives them to the account; run
    \`barge verify --repair\` after that, so that they are charged to it.

    The password is asked for on a terminal, or comes from one of the --password options,
    --generate or BARGE_PASSWORD; never from the command line, where other users could read it.`,
  examples: [
    ["barge user add alice --quota 20GiB", "ask for a password and make `alice`"],
    ["barge user add bob --generate", "make `bob` and print his new password"],
  ],
  async run(
    { name, admin, role: namedRole, quota, entries, adopt, minPassword, data, json, ...sources },
    { signal },
  ) {
    using open = await openAccounts(data, { create: true, adopt });
    const { accounts } = open;
    const { checkAccountName } = await import("../../core/storage/account_rules.ts");
    const { defaultQuota } = await import("../../core/storage/accounts.ts");
    checkAccountName(name);
    if (accounts.find(name)) {
      throw new BargeError("exists", "the account exists already", { op: "user add", path: name });
    }
    const { password, generated } = await newPassword(
      sources,
      `Password for ${name}`,
      minPassword,
      signal,
    );
    const { makeVerifier } = await import("../../core/protocol/verifier.ts");
    const verifier = await makeVerifier("password", password);
    const role = namedRole ?? (admin ? "admin" : "user");
    const limit = quota === undefined ? defaultQuota(role) : quota;
    const account = accounts.add({ name, role, limit, entryLimit: entries, verifier, adopt });
    if (json) {
      printJson({ ...accountFields(account), ...(generated && { password }) });
      return;
    }
    note(
      `made ${account.role === "admin" ? "the admin" : "the account"} ${account.name}, ` +
        `quota ${formatLimit(account.limit)}`,
    );
    if (generated) print(password);
  },
});
