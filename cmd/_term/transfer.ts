/** What `put` and `get` share: their options, and what they print. */
import type { Totals, TransferEvent, TransferResult } from "../../core/client/transfer/events.ts";
import { BargeError, type Kind } from "../../core/error.ts";
import { errorFields, sharedCode } from "./exit.ts";
import { inWordsOf } from "./fail.ts";
import { common, flag, plain, values } from "./options.ts";
import { keepUp, note, printJson, printLine, stdoutClosed, terminal } from "./out.ts";
import { counted, duration, number, progress } from "./progress.ts";
import { sessionOptions } from "./session.ts";
import { formatSize } from "./size.ts";

export const transferOptions = {
  recursive: flag(["-r", "--recursive"], "Folders with all that is in them"),
  update: flag(["-u", "--update"], "Only files whose size or time differs"),
  checksum: flag(["-c", "--checksum"], "Only files whose SHA-256 differs"),
  noVerify: flag(
    ["--no-verify"],
    "Trust the connection: hash no large file on this side. The server still does",
  ),
  delete: flag(
    ["--delete"],
    "Remove from the target tree what the source has not, afterwards; what is a folder at one " +
      "side and a file at the other, at once",
  ),
  noClobber: flag(["--no-clobber"], "Fail rather than replace a file"),
  exclude: values(
    ["--exclude"],
    plain("GLOB"),
    "Leave out names like *.o, /build/, docs/**; many, in the variable one a line",
  ),
  dryRun: flag(["-n", "--dry-run"], "Only say what would be done"),
  quiet: flag(["-q", "--quiet"], "No progress, no summary; only failures"),
  ...sessionOptions,
  ...common,
};

/** What fails all the files behind it, too: only the first one is named. */
const forAll: ReadonlySet<Kind> = new Set<Kind>(["unavailable", "no-space"]);
/** More notes than this are only counted. */
const asidesShown = 10;

interface Printing {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly dryRun: boolean;
}

/**
 * Runs a transfer and prints what happens: progress and failures on standard error, with `json` an
 * object a file on standard output.
 *
 * @param op `put` or `get`
 * @returns the exit code: that which all failures share, else 1
 */
export async function printTransfer(
  op: "put" | "get",
  { json, quiet, dryRun }: Printing,
  transfer: (
    onEvent: (event: TransferEvent) => void,
    ready: () => Promise<void> | undefined,
  ) => Promise<Totals>,
): Promise<number> {
  const start = performance.now();
  const failures: Kind[] = [];
  using line = progress(quiet);
  const notes = new Notes();
  const rehearsed = dryRun ? { dryRun } : {};
  const onEvent = (event: TransferEvent) => {
    line?.add(event);
    if (event.type === "done") {
      const { result } = event;
      if (json) printJson({ ...resultFields(op, result), ...rehearsed });
      else if (dryRun && result.status === "sent") printLine(`${op} ${between(op, result)}`);
      if (result.error) {
        failures.push(result.error.kind);
        notes.failure(inWordsOf(result.error, op));
      }
    } else if (event.type === "removed") {
      if (json) printJson({ ...removedFields(event), ...rehearsed });
      else if (dryRun) printLine(`remove ${op === "put" ? event.path : event.local}`);
    } else if (event.type === "note" && !quiet) notes.aside(event.message);
  };
  const totals = await transfer(onEvent, () => keepUp(stdoutClosed)).catch((cause) => {
    throw cause instanceof BargeError && cause.kind === "interrupted"
      ? cause.with({ hint: "run the same command again to resume" })
      : cause;
  });
  notes.end();
  line?.hide();
  const files = totals.sent + totals.resumed + totals.skipped + totals.failed;
  if (!quiet && (terminal.stderr || files !== 1 || totals.removed > 0)) {
    note(summary(totals, (performance.now() - start) / 1000, dryRun));
  }
  return sharedCode(failures);
}

/**
 * What a transfer came to, in a line.
 *
 * @example
 * ```ts
 * import { summary } from "./transfer.ts";
 * const none = { sent: 0, resumed: 0, skipped: 0, failed: 0, removed: 0, bytes: 0, error: null };
 * const line = summary({ ...none, sent: 5000, failed: 2, bytes: 20_480_000 }, 0.4, false);
 * if (line !== "5,000 files, 20.5 MB in 0.4 s; 2 failed") throw new Error(line);
 * ```
 */
export function summary(totals: Totals, seconds: number, dryRun: boolean): string {
  const { sent, resumed, skipped, failed, removed, bytes } = totals;
  const moved = sent + resumed;
  const parts = [
    resumed > 0 && `${number(resumed)} of them resumed`,
    skipped > 0 && `${number(skipped)} the same already`,
    removed > 0 && `${number(removed)} removed`,
    failed > 0 && `${number(failed)} failed`,
  ];
  const time = dryRun ? "; nothing was done (--dry-run)" : ` in ${duration(seconds)}`;
  const what = `${counted(moved, "file")}, ${formatSize(bytes)}${time}`;
  return [what, ...parts.filter(Boolean)].join("; ");
}

/** A file's outcome as `--json` shows it. The fields are frozen; a download has one more. */
function resultFields(op: "put" | "get", result: TransferResult) {
  const { path, local, size, sha256, status, offset, error, verified = null } = result;
  const fields = { path, local, size, sha256, status, offset, error: error && errorFields(error) };
  return op === "get" ? { ...fields, verified } : fields;
}

/** A removal by `--delete` as `--json` shows it, with the same fields. */
function removedFields({ path, local }: { readonly path: string; readonly local: string }) {
  return { path, local, size: 0, sha256: null, status: "removed", offset: 0, error: null };
}

/**
 * Keeps standard error readable: a broken connection fails thousands of files in the same words,
 * and a tree may be full of symbolic links.
 */
class Notes {
  #last = "";
  #same = 0;
  #hint = "";
  #asides = 0;

  failure(error: BargeError): void {
    // An interruption is said once, at the end, and whoever closed our output wants to hear no more.
    if (error.kind === "interrupted" || stdoutClosed.aborted) return;
    const text = `barge: ${error}`;
    const cause = forAll.has(error.kind) ? error.message : text;
    if (cause === this.#last) {
      this.#same++;
      return;
    }
    this.#endSame();
    this.#last = cause;
    note(text);
    if (error.hint && error.hint !== this.#hint) note(`(${error.hint})`);
    this.#hint = error.hint ?? this.#hint;
  }

  aside(message: string): void {
    if (++this.#asides <= asidesShown) note(`barge: ${message}`);
  }

  end(): void {
    this.#endSame();
    const more = this.#asides - asidesShown;
    if (more > 0) note(`barge: and ${number(more)} more of these`);
  }

  #endSame(): void {
    if (this.#same > 0) note(`barge: and ${number(this.#same)} more of the same`);
    this.#same = 0;
  }
}

function between(op: "put" | "get", { path, local }: TransferResult): string {
  return op === "put" ? `${local} -> ${path}` : `${path} -> ${local}`;
}
