/** `barge user apply`: makes the accounts be as a file declares them. */
import { openAccounts, sayData } from "../_data/accounts.ts";
import { command } from "../_term/command.ts";
import { argumentOf, common, dataOption, flag } from "../_term/options.ts";
import { note, print, printJson } from "../_term/out.ts";
import { path } from "../_term/value.ts";
import { applySteps, planSteps, type Step } from "../_data/apply.ts";
import { readDeclared } from "../_data/declared.ts";
import { minPasswordOption } from "../_client/password.ts";
import { counted } from "../_term/progress.ts";

export default command({
  options: {
    file: argumentOf(path("FILE"), "What is declared, in JSON; - is standard input"),
    dryRun: flag(["-n", "--dry-run"], "Only say what would be changed"),
    adopt: flag(
      ["--adopt"],
      "Give new accounts the files that homes/NAME holds, as `user add` does",
    ),
    ...minPasswordOption,
    data: dataOption(),
    ...common,
  },
  usage: "FILE",
  about: `Makes the accounts in a data directory be as a file declares them, all or none. Accounts
    that it does not name stay as they are; run again, it changes nothing.

    The file: {"accounts": [{"name": "alice", "quota": "20GiB", "passwordFile": "alice.pw"}]}. Each
    account has a name and may have role (user, admin), quota (bytes, a size like "20GiB", or
    "none"), entries (a number, or "none"), disabled (true, false), password or passwordFile (relative to the file), and state
    ("absent" removes it; its files are kept aside). What is left out is not changed; a new account
    needs a password.`,
  examples: [
    ["barge user apply accounts.json --dry-run", "see what would change"],
    ["barge user apply accounts.json", "change it"],
  ],
  async run({ file, dryRun, adopt, minPassword, data, json }) {
    const declared = await readDeclared(file);
    const missing = dryRun && !await exists(data);
    if (missing) {
      sayData(data);
      const { refuseLost } = await import("../../core/account/lost.ts");
      if (!adopt) refuseLost(data, `${data}/accounts.db`);
    }
    // A dry run changes nothing, and so can't open a database that is not there.
    using open = missing ? undefined : await openAccounts(data, { create: true, adopt });
    const steps = await planSteps(declared, open?.accounts, { adopt, minPassword });
    const kept = dryRun || !open
      ? new Map<string, string>()
      : await applySteps(steps, open, { data, adopt });
    for (const step of steps) show(step, kept.get(step.name), json);
    const changes = steps.filter(({ action }) => action !== "unchanged").length;
    if (!json) {
      const done = dryRun ? "to be made; nothing was done (--dry-run)" : "made";
      note(`${counted(steps.length, "account")}, ${counted(changes, "change")} ${done}`);
    }
  },
});

function show({ name, action, changed }: Step, kept: string | undefined, json: boolean): void {
  if (json) return printJson({ name, action, changed, ...(kept ? { kept } : {}) });
  const what = changed.length > 0 ? ` (${changed.join(", ")})` : "";
  print(`${action} ${name}${what}${kept ? `; its home is kept in ${kept}` : ""}`);
}

async function exists(data: string): Promise<boolean> {
  return await Deno.lstat(`${data}/accounts.db`).then(() => true, () => false);
}
