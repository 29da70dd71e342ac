/** `barge verify`: everything in a data directory that can be checked, beside a running server, too. */
import { BargeError } from "../core/error.ts";
import type { Problem, ReconcileEvent } from "../core/session/reconcile.ts";
import { openStore } from "./_data/accounts.ts";
import { command } from "./_term/command.ts";
import { exitCodes } from "./_term/exit.ts";
import { common, dataOption, flag, values } from "./_term/options.ts";
import { note, printJson, printLine } from "./_term/out.ts";
import { counted, number, type Progress, progress } from "./_term/progress.ts";
import { formatSize } from "./_term/size.ts";
import { plain } from "./_term/value.ts";

export default command({
  options: {
    repair: flag(["--repair"], "Make the ledger agree with the disk, and clear staging"),
    quick: flag(["--quick"], "Don't read the files, only look at them"),
    accept: values(
      ["--accept"],
      plain("PATH"),
      "Take a damaged file's bytes as they are now; may be given several times",
    ),
    quiet: flag(["-q", "--quiet"], "No progress, no summary; only what differs"),
    data: dataOption(),
    ...common,
  },
  usage: "",
  about: `Reads every file in a data directory and compares it with the SHA-256 of its upload; and
    compares the ledger with the disk, staging with the unfinished uploads, and every account's sums.
    A running server is not disturbed. Exits with 13 when something differs and was not repaired.

    --repair lets the ledger follow the disk: it takes in files that were put there, changed or
    removed by hand, and clears from staging what is certainly nobody's. It never changes a file.

    A file whose bytes are not those of its digest, though its size and time are as they were, is
    damaged: put it back from a backup, and --repair takes that in. --repair alone leaves it and its
    digest as they are. --accept PATH, with the path as it is printed here, takes what is there now
    for the file.`,
  examples: [
    ["barge verify", "read all, and change nothing"],
    ["barge verify --repair", "take in what was put there by hand"],
    ["barge verify --accept homes/alice/a.jpg", "that one is damaged, and good enough"],
  ],
  async run({ repair, quick, accept, quiet, data, json }, { signal }) {
    if (quick && accept.length > 0) {
      throw new BargeError(
        "usage",
        "--accept needs the files read, and --quick does not read them",
      );
    }
    const { verify } = await import("../core/session/verify.ts");
    using store = await openStore(data, quiet);
    using shown = progress(quiet);
    const left = new Set(accept);
    const { checked, bytes, problems } = await verify(store, {
      repair,
      contents: !quick,
      accept: new Set(accept),
      signal,
      onEvent: shown && ((event) => show(shown, event)),
      onProblem(problem) {
        if (problem.kind === "damaged") left.delete(problem.path);
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
      const read = quick ? "looked at" : `read, ${formatSize(bytes)}`;
      const found = problems.length === 0
        ? "all agree"
        : `${number(problems.length)} differ, ${number(repaired)} repaired`;
      note(`${counted(checked, "file")} ${read}: ${found}`);
    }
    for (const path of left) note(`--accept ${path}: there is no damaged file of that name`);
    if (!quiet) advise(open, repair);
    return open.length > 0 ? exitCodes.digest : 0;
  },
});

function show(line: Progress, event: ReconcileEvent): void {
  if (event.type === "start") {
    line.add({ type: "start", path: event.path, local: "-", offset: event.skipped });
  } else line.add(event);
}

function printProblem(problem: Problem, json: boolean): void {
  const { path, what, repaired } = problem;
  if (json) {
    printJson({ type: "problem", ...fields(problem) });
  } else {
    printLine(`${path}: ${what}${repaired ? " (repaired)" : ""}`);
  }
}

/** A problem as `--json` shows it. The fields are frozen. */
function fields({ kind, path, what, repaired, expected, found }: Problem) {
  return { kind, path, what, repaired, expected, found };
}

/** Prints the problems that `--repair` leaves. */
const byHand: ReadonlySet<Problem["kind"]> = new Set(["damaged", "unreadable", "unnamed"]);

function advise(open: readonly Problem[], repair: boolean): void {
  if (open.some(({ kind }) => kind === "damaged")) {
    note("(put damaged files back from a backup, or take them as they are with --accept PATH)");
  }
  if (open.some(({ kind }) => kind === "unnamed")) {
    note(
      "(bytes that are not valid UTF-8 are shown as \uFFFD; `ls -b` shows them, in the folder itself)",
    );
  }
  const mended = open.some(({ kind }) => !byHand.has(kind));
  if (mended && !repair) note("(--repair makes the ledger agree with the disk)");
}
