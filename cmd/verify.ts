/** `barge verify`: checks all that is stored, even while servers run on it. */
import { BargeError } from "../core/error.ts";
import type { Reconciled } from "../core/repair/reconcile.ts";
import type { Problem, ProblemKind, ReconcileEvent } from "../core/storage/problem.ts";
import { accountsOptions, type AccountsValues, isShared, openStore } from "./_data/accounts.ts";
import { describeDifferences, noteCopies } from "./_data/summary.ts";
import { command, flag, values } from "./_term/command.ts";
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
    ...accountsOptions,
  },
  about: `Reads every file in a data directory and compares it with the SHA-256 of its upload. Also
    compares the ledger with the disk, staging with the partial uploads, and the sums of every
    account. A running server is not disturbed. Exits with code 13 if there are differences that
    were not repaired.

    --repair changes the ledger to agree with the disk: it charges files that were added, changed or
    removed by hand, and clears from staging the files that no upload owns. It never changes a file.
    After a restore it enters the copies whose bytes agree with their digests, and prints their number.

    A file with its old size and time but another digest is damaged: put it back from a backup and
    run --repair. --repair alone leaves a damaged file and its digest unchanged. --accept PATH, with
    the path as printed here, makes the current bytes the file.

    With --store: reads the bytes of all files from the bucket (--quick: compares only the objects'
    sizes), and compares them, the objects of the bucket and the sums of every account with the
    database. --repair corrects sums, and removes objects that no file has used for a day.`,
  examples: [
    ["barge verify", "read all files, and change nothing"],
    ["barge verify --repair", "charge files that were added by hand"],
    ["barge verify --accept homes/alice/a.jpg", "keep that damaged file as it is"],
  ],
  async run(values, { signal }) {
    const { repair, quick, accept, quiet, json } = values;
    if (quick && accept.length > 0) {
      throw new BargeError("usage", "--accept and --quick exclude each other");
    }
    using shown = progress(quiet);
    const unmatched = new Set(accept);
    const open = new Set<ProblemKind>();
    const counts = { problems: 0, repaired: 0, open: 0 };
    const { checked, bytes, copied = 0 } = await verifyAll(values, {
      repair,
      contents: !quick,
      signal,
      onEvent: shown && ((event) => shown.add(stepOf(event))),
      onProblem(problem) {
        counts.problems++;
        counts[problem.repaired ? "repaired" : "open"]++;
        if (!problem.repaired) open.add(problem.kind);
        if (problem.kind === "damaged") unmatched.delete(problem.path);
        printProblem(problem, json);
      },
    });
    shown?.hide();
    if (json) {
      printJson({ type: "summary", files: checked, bytes, ...counts, copied });
    } else if (!quiet) {
      noteCopies(copied);
      const read = quick ? "" : `, ${formatSize(bytes)} read`;
      const repaired = counts.problems > 0 ? `, ${number(counts.repaired)} repaired` : "";
      const result = describeDifferences(counts.problems) + repaired;
      note(`${counted(checked, "file")} compared${read}: ${result}`);
    }
    const byHand = "a file that was changed by hand needs --repair";
    for (const path of unmatched) {
      note(`--accept ${path}: there is no damaged file of that name (${byHand})`);
    }
    if (!quiet) (isShared(values) ? adviseForCluster : advise)(open, repair);
    if (counts.open > 0) return exitCodes.digest;
    return unmatched.size > 0 ? exitCodes["not-found"] : 0;
  },
});

type Values = AccountsValues & { readonly accept: readonly string[]; readonly quiet: boolean };

/** The options of a check of either kind of storage. */
interface Check {
  readonly repair: boolean;
  readonly contents: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: ((event: ReconcileEvent) => void) | undefined;
  readonly onProblem: (problem: Problem) => void;
}

/** Checks the storage that the options name. @throws {BargeError} `usage` for --accept on shared storage */
async function verifyAll(
  values: Values,
  check: Check,
): Promise<Pick<Reconciled, "checked" | "bytes"> & Partial<Pick<Reconciled, "copied">>> {
  const { data, accept, quiet } = values;
  if (!isShared(values)) {
    const { verify } = await import("../core/repair/verify.ts");
    using store = await openStore(data, quiet);
    return await verify(store, { ...check, accept: new Set(accept) });
  }
  if (accept.length > 0) {
    throw new BargeError("usage", "--accept is for data directories", {
      hint: "upload the damaged file again, or remove it",
    });
  }
  const { openShared } = await import("./_data/shared.ts");
  const { verifyShared } = await import("../core/shared/verify/verify.ts");
  await using storage = await openShared(values, { quiet });
  return await verifyShared(storage.parts, check);
}

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
const byHand: ReadonlySet<ProblemKind> = new Set(["damaged", "unreadable", "unnamed"]);

function advise(open: ReadonlySet<ProblemKind>, repair: boolean): void {
  if (open.has("damaged")) {
    note("(put damaged files back from a backup, or keep them with --accept PATH)");
  }
  if (open.has("unnamed")) {
    note(
      "(bytes that are not valid UTF-8 are shown as \uFFFD; `ls -b` shows them, in the folder itself)",
    );
  }
  const repairable = !open.isSubsetOf(byHand);
  if (repairable && !repair) note("(--repair makes the ledger agree with the disk)");
}

function adviseForCluster(open: ReadonlySet<ProblemKind>, repair: boolean): void {
  if (open.has("damaged") || open.has("missing")) {
    note("(upload these files again, or put the objects back from a backup of the bucket)");
  }
  const repairable = open.has("sums") || open.has("leftover");
  if (repairable && !repair) note("(--repair corrects sums, and removes unused objects)");
}
