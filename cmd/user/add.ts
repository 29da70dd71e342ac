/** `barge user add`: makes an account. */
import { BargeError } from "../../core/error.ts";
import { command } from "../_term/command.ts";
import { accountFields, openAccounts } from "../_term/accounts.ts";
import {
  argument,
  common,
  dataOption,
  flag,
  oneOf,
  sizeOrNone,
  value,
  valueOr,
} from "../_term/options.ts";
import { note, print, printJson } from "../_term/out.ts";
import { newPassword, newPasswordOptions } from "../_term/password.ts";
import { formatLimit } from "../_term/size.ts";

export default command({
  options: {
    name: argument("NAME", "The account's name: letters, digits, . _ -"),
    admin: flag(["--admin"], "Short for --role admin"),
    role: value(["--role"], oneOf("user", "admin"), "What it may do. Default: user"),
    quota: valueOr(["--quota"], sizeOrNone(), 1_000_000, "Its capacity. Default: 1MB"),
    ...newPasswordOptions,
    data: dataOption(),
    ...common,
  },
  usage: "NAME",
  about: `Makes an account in a data directory; a server that runs on it knows it at once. Makes the
    directory, too, if there is none.

    The password is asked for on a terminal, or comes from one of the --password options,
    --generate or BARGE_PASSWORD; never from the command line, where others could read it.`,
  examples: [
    ["barge user add alice --quota 20GiB", "ask for a password and make `alice`"],
    ["barge user add bob --generate", "make `bob` and print a password for him"],
  ],
  async run({ name, admin, role, quota, data, json, ...sources }, { signal }) {
    using open = await openAccounts(data, { create: true });
    const { accounts } = open;
    const { checkName } = await import("../../core/account/accounts.ts");
    checkName(name);
    if (accounts.find(name)) {
      throw new BargeError("exists", "that account exists already", { op: "user add", path: name });
    }
    const { password, generated } = await newPassword(sources, `Password for ${name}`, signal);
    const { makeVerifier } = await import("../../core/protocol/verifier.ts");
    const verifier = await makeVerifier("password", password);
    const made = accounts.add({
      name,
      role: role ?? (admin ? "admin" : "user"),
      limit: quota,
      verifier,
    });
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
