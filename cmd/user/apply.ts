/** `barge user apply`: changes the accounts to those that a file declares. */
import { BargeError } from "../../core/error.ts";
import {
  accountsOptions,
  type AccountStores,
  type AccountsValues,
  openAccounts,
} from "../_data/accounts.ts";
import { argument, command, flag } from "../_term/command.ts";
import { note, print, printJson } from "../_term/out.ts";
import { path } from "../_term/value.ts";
import { applySteps, planSteps, type Step } from "../_data/apply.ts";
import { readDeclared } from "../_data/declared.ts";
import { minPasswordOption } from "../_client/password.ts";
import { counted } from "../_term/progress.ts";

export default command({
  options: {
    file: argument(path("FILE"), "The declaration, in JSON; - is standard input"),
    dryRun: flag("Print the changes without making them", "-n"),
    adopt: flag("Give new accounts the existing files in homes/NAME, as `user add` does"),
    ...minPasswordOption,
    ...accountsOptions,
  },
  about: `Changes the accounts of a server to those that a file declares, all or none. Other
    accounts do not change. A second run changes nothing.

    The file: {"accounts": [{"name": "alice", "quota": "20GiB", "passwordFile": "alice.pw"}]}. Each
    account has a name and may have role (user, admin), quota (bytes, a size like "20GiB", or
    "none"), entries (a number, or "none"), disabled (true, false), expires (a day like
    "2027-01-31", a time in RFC 3339, or "none"), from (a list of addresses and networks, or
    "none"), password or passwordFile (relative to the file), and state ("absent" removes the account and keeps its files in
    removed/). Missing fields do not change the account; a new account needs a password.`,
  examples: [
    ["barge user apply accounts.json --dry-run", "show the changes"],
    ["barge user apply accounts.json", "make the changes"],
  ],
  async run(values) {
    const { file, dryRun, adopt, minPassword, json } = values;
    const declared = await readDeclared(file);
    await using stores = dryRun
      ? await openExisting(values, adopt)
      : await openAccounts(values, { create: true, adopt });
    const steps = await planSteps(declared, stores, { adopt, minPassword });
    const keptHomes = dryRun || !stores
      ? new Map<string, string>()
      : await applySteps(steps, stores, { adopt });
    for (const step of steps) show(step, keptHomes.get(step.name), json);
    const changes = steps.filter(({ action }) => action !== "unchanged").length;
    if (!json) {
      const done = dryRun ? "to be made; nothing was done (--dry-run)" : "made";
      note(`${counted(steps.length, "account")}, ${counted(changes, "change")} ${done}`);
    }
  },
});

/** Opens the accounts for a dry run, which makes no database. @returns undefined where there is none */
async function openExisting(
  values: AccountsValues,
  adopt: boolean,
): Promise<AccountStores | undefined> {
  try {
    return await openAccounts(values, { adopt });
  } catch (error) {
    if (error instanceof BargeError && error.kind === "not-found") return undefined;
    throw error;
  }
}

function show(
  { name, action, changed, change }: Step,
  kept: string | undefined,
  json: boolean,
): void {
  if (json) return printJson({ name, action, changed, ...(kept && { kept }) });
  const fields = changed.length > 0 ? ` (${changed.join(", ")})` : "";
  const expired = isPast(change.expires) ? "; it has expired already" : "";
  print(`${action} ${name}${fields}${expired}${kept ? `; its home is kept in ${kept}` : ""}`);
}

function isPast(time: number | null | undefined): boolean {
  return typeof time === "number" && time <= Date.now();
}
