/** `barge user add`: makes an account. */
import { BargeError } from "../../core/error.ts";
import { command } from "../_term/command.ts";
import { accountFields, openAccounts } from "../_data/accounts.ts";
import { argument, common, dataOption, flag, value } from "../_term/options.ts";
import { note, print, printJson } from "../_term/out.ts";
import { countOrNone, oneOf, sizeOrNone } from "../_term/value.ts";
import { minPasswordOption, newPassword, newPasswordOptions } from "../_client/password.ts";
import { formatLimit } from "../_term/size.ts";

export default command({
  options: {
    name: argument("NAME", "The account's name: letters, digits, . _ -"),
    admin: flag(["--admin"], "Short for --role admin"),
    role: value(["--role"], oneOf("user", "admin"), "What it may do. Default: user"),
    quota: value(["--quota"], sizeOrNone(), "Its capacity. Default: 1MB; of an admin, none"),
    entries: value(
      ["--entries"],
      countOrNone(),
      "How many files, folders and partial uploads it may have. Default: 100000, and 10000 more for " +
        "each GiB of its capacity; without a capacity, none",
    ),
    adopt: flag(
      ["--adopt"],
      "Give it the files that homes/NAME holds already, and make a new database where the old one is lost",
    ),
    ...newPasswordOptions,
    ...minPasswordOption,
    data: dataOption(),
    ...common,
  },
  usage: "NAME",
  about: `Makes an account in a data directory; a server that runs on it knows it at once. A
    directory that --data or BARGE_DATA names is made if there is none; the default one is made by
    \`barge serve\`.

    A new account never takes over files: where homes/NAME holds some, of an account that was
    removed by hand or whose database was lost, it is refused with 14. --adopt gives them to it; run
    \`barge verify --repair\` after that, so that they are charged to it.

    The password is asked for on a terminal, or comes from one of the --password options,
    --generate or BARGE_PASSWORD; never from the command line, where others could read it.`,
  examples: [
    ["barge user add alice --quota 20GiB", "ask for a password and make `alice`"],
    ["barge user add bob --generate", "make `bob` and print a password for him"],
  ],
  async run(
    { name, admin, role: given, quota, entries, adopt, minPassword, data, json, ...sources },
    { signal },
  ) {
    using open = await openAccounts(data, { create: true, adopt });
    const { accounts } = open;
    const { checkName, usualLimit } = await import("../../core/account/accounts.ts");
    checkName(name);
    if (accounts.find(name)) {
      throw new BargeError("exists", "that account exists already", { op: "user add", path: name });
    }
    const { password, generated } = await newPassword(
      sources,
      `Password for ${name}`,
      minPassword,
      signal,
    );
    const { makeVerifier } = await import("../../core/protocol/verifier.ts");
    const verifier = await makeVerifier("password", password);
    const role = given ?? (admin ? "admin" : "user");
    const limit = quota === undefined ? usualLimit(role) : quota;
    const made = accounts.add({ name, role, limit, entryLimit: entries, verifier, adopt });
    if (json) {
      printJson({ ...accountFields(made), ...(generated ? { password } : {}) });
      return;
    }
    note(
      `made ${made.role === "admin" ? "the admin" : "the account"} ${made.name}, ` +
        `capacity ${formatLimit(made.limit)}`,
    );
    if (generated) print(password);
  },
});
