/** `barge quota verify`: compares what the ledger says with what is on disk. */
import { openStore } from "../_data/accounts.ts";
import { exitCodes } from "../_term/exit.ts";
import { command } from "../_term/command.ts";
import { common, dataOption, flag } from "../_term/options.ts";
import { note, printJson, printLine } from "../_term/out.ts";
import { counted, number } from "../_term/progress.ts";

export default command({
  options: {
    repair: flag(["--repair"], "Make the ledger agree with the disk"),
    data: dataOption(),
    ...common,
  },
  usage: "",
  about: `Compares the ledger of a data directory with the files on its disk: what is there and not
    charged, charged and not there, or of another size. Exits with 13 when something differs and was
    not repaired.`,
  examples: [
    ["barge quota verify", "look, and change nothing"],
    ["barge quota verify --repair", "take in what was put there by hand"],
  ],
  async run({ repair, data, json }, { signal }) {
    const { reconcile } = await import("../../core/session/reconcile.ts");
    using store = await openStore(data);
    const { checked, problems } = await reconcile(store, {
      repair,
      signal,
      onProblem({ path, what, repaired }) {
        if (json) printJson({ path, what, repaired });
        else printLine(`${path}: ${what}${repaired ? " (repaired)" : ""}`);
      },
    });
    const open = problems.filter((problem) => !problem.repaired).length;
    const found = problems.length === 0 ? "all agree" : `${number(problems.length)} differ`;
    note(`${counted(checked, "file")} checked, ${found}`);
    if (open > 0 && !repair) note("(--repair makes the ledger agree with the disk)");
    return open > 0 ? exitCodes.digest : 0;
  },
});
