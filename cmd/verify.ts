/** `barge verify`: checks a data directory, even while a server runs on it. */
import { BargeError } from "../core/error.ts";
import type { Problem, ReconcileEvent } from "../core/storage/problem.ts";
import { openStore } from "./_data/accounts.ts";
import { command, dataOption, flag, values } from "./_term/command.ts";
import { exitCodes } from "./_term/exit.ts";
import { note, printJson, printLine } from "./_term/out.ts";
import { counted, number, progress, type Step } from "./_term/progress.ts";
import { formatSize } from "../core/size.ts";
import { plain } from "./_term/value.ts";

export default command({
  options: {
    repair: flag("Make the ledger agree with the disk, and clear staging"),
    quick: flag("Compare sizes and times, and do not read the files"),
    accept: values(plain("PATH"), "Accept the current bytes of a damaged file; may be repeated"),
    quiet: flag("No progress, no summary; only the differences", "-q"),
    data: dataOption(),
  },
  about: `Reads every file in a data directory and compares it with the SHA-256 of its upload. Also
    compares the ledger with the disk, staging with the partial uploads, and the sums of every
    account. A running server is not disturbed. Exits with 13 if there are differences that were not
    repaired.

    --repair changes the ledger to agree with the disk: it charges files that were added, changed or
    removed by hand, and clears from staging the files that no upload owns. It never changes a file.

    A file with its old size and time but another digest is damaged: put it back from a backup and
    run --repair. --repair alone leaves a damaged file and its digest unchanged. --accept PATH, with
    the path as printed here, makes the current bytes the file.`,
  examples: [
    ["barge verify", "read all files, and change nothing"],
    ["barge verify --repair", "charge files that were added by hand"],
    ["barge verify --accept homes/alice/a.jpg", "keep that damaged file as it is"],
  ],
  async run({ repair, quick, accept, quiet, data, json }, { signal }) {
    if (quick && accept.length > 0) {
      throw new BargeError("usage", "--accept and --quick exclude each other");
    }
    const { verify } = await import("../core/repair/verify.ts");
    using store = await openStore(data, quiet);
    using shown = progress(quiet);
    const unmatched = new Set(accept);
    const { checked, bytes, problems } = await verify(store, {
      repair,
      contents: !quick,
      accept: new Set(accept),
      signal,
      onEvent: shown && ((event) => shown.add(stepOf(event))),
      onProblem(problem) {
        if (problem.kind === "damaged") unmatched.delete(problem.path);
        printProblem(problem, json);
      },
    });
    shown?.hide();
    const open = problems.filter((problem) => !problem.repaired);
    const repaired = problems.length - open.length;
    if (json) {
      const counts = { problems: problems.length, repaired, open: open.length };
      printJson({ type: "summary", files: checked, bytes, ...counts });
    } else if (!quiet) {
      const read = quick ? "compared" : `read, ${formatSize(bytes)}`;
      const result = problems.length === 0
        ? "all agree"
        : `${number(problems.length)} differ, ${number(repaired)} repaired`;
      note(`${counted(checked, "file")} ${read}: ${result}`);
    }
    for (const path of unmatched) note(`--accept ${path}: there is no damaged file of that name`);
    if (!quiet) advise(open, repair);
    return open.length > 0 ? exitCodes.digest : 0;
  },
});

function stepOf(event: ReconcileEvent): Step {
  if (event.type !== "start") return event;
  return { type: "start", path: event.path, local: "-", offset: event.skipped };
}

/** Prints a problem. The fields of `--json` are frozen. */
function printProblem(problem: Problem, json: boolean): void {
  const { kind, path, what, repaired, expected, found } = problem;
  if (json) printJson({ type: "problem", kind, path, what, repaired, expected, found });
  else printLine(`${path}: ${what}${repaired ? " (repaired)" : ""}`);
}

/** The problems that `--repair` leaves. */
const byHand: ReadonlySet<Problem["kind"]> = new Set(["damaged", "unreadable", "unnamed"]);

function advise(open: readonly Problem[], repair: boolean): void {
  if (open.some(({ kind }) => kind === "damaged")) {
    note("(put damaged files back from a backup, or keep them with --accept PATH)");
  }
  if (open.some(({ kind }) => kind === "unnamed")) {
    note(
      "(bytes that are not valid UTF-8 are shown as \uFFFD; `ls -b` shows them, in the folder itself)",
    );
  }
  const repairable = open.some(({ kind }) => !byHand.has(kind));
  if (repairable && !repair) note("(--repair makes the ledger agree with the disk)");
}
