/** `barge quota verify`: compares the ledger with the disk, without reading files. */
import { accountsOptions, needDirectory, openStore } from "../_data/accounts.ts";
import { describeDifferences, noteCopies } from "../_data/summary.ts";
import { exitCodes } from "../_term/exit.ts";
import { command, flag } from "../_term/command.ts";
import { note, printJson, printLine } from "../_term/out.ts";
import { counted } from "../_term/progress.ts";

export default command({
  options: {
    repair: flag("Make the ledger agree with the disk"),
    ...accountsOptions,
  },
  about: `Compares the ledger of a data directory with the files on its disk, and reports files that
    are not charged, charged files that are missing, and sizes that differ. Exits with code 13 if
    there are differences that were not repaired.`,
  examples: [
    ["barge quota verify", "report differences, and change nothing"],
    ["barge quota verify --repair", "charge files that were added by hand"],
  ],
  async run(values, { signal }) {
    const { repair, data, json } = values;
    needDirectory(values, "use `barge verify`, which also compares the sums of accounts");
    const { reconcile } = await import("../../core/repair/reconcile.ts");
    using store = await openStore(data);
    const { checked, copied, problems } = await reconcile(store, {
      repair,
      signal,
      onProblem({ path, what, repaired }) {
        if (json) printJson({ path, what, repaired });
        else printLine(`${path}: ${what}${repaired ? " (repaired)" : ""}`);
      },
    });
    noteCopies(copied);
    const open = problems.filter((problem) => !problem.repaired).length;
    note(`${counted(checked, "file")} compared: ${describeDifferences(problems.length)}`);
    if (open > 0 && !repair) note("(--repair makes the ledger agree with the disk)");
    return open > 0 ? exitCodes.digest : 0;
  },
});
