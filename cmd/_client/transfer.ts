/** The options and the output of `put` and `get`. */
import type { Totals, TransferEvent, TransferResult } from "../../core/client/transfer/events.ts";
import type { TransferOptions } from "../../core/client/transfer/options.ts";
import { BargeError, type Kind } from "../../core/error.ts";
import { sharedCode } from "../_term/exit.ts";
import { hintOf, withVerb } from "../_term/fail.ts";
import { flag, value, valueOr } from "../_term/command.ts";
import { filterOptions } from "./filters.ts";
import {
  keepUp,
  note,
  printJson,
  printLine,
  record,
  stdoutClosed,
  terminal,
} from "../_term/out.ts";
import { counted, duration, number, progress } from "../_term/progress.ts";
import { count, valueParser } from "../_term/value.ts";
import { formatSize } from "../../core/size.ts";
import type { MaxDelete } from "../../core/client/transfer/brake.ts";
import { rates } from "./rates.ts";

/** More connections cost the server logins and memory, and make no transfer faster. */
const maxJobs = 16;

export const transferOptions = {
  recursive: flag("Transfer folders with their contents", "-r"),
  update: flag("Transfer only files whose size or time differs", "-u"),
  checksum: flag("Transfer only files whose SHA-256 differs", "-c"),
  noVerify: flag("Do not hash large files on this side; the server still does"),
  delete: flag(
    "Remove from the target tree what the source lacks, after the transfer; and replace a folder " +
      "there by a file of the same name, or the reverse",
  ),
  maxDelete: value(
    maxDelete(),
    "Transfer and remove nothing if --delete would remove more than N entries, or than this part " +
      "of the target's entries",
  ),
  noClobber: flag("Fail instead of replacing a file"),
  ...filterOptions,
  noIgnore: flag("Do not read the .bargeignore files of local folders"),
  limitRate: value(
    rates(),
    "Send and receive at most this number of bytes a second, like 2MB; or at certain times of the day, " +
      "like 08:00-18:00=500kB,2MB",
  ),
  jobs: valueOr(
    count("N", 1, maxJobs),
    1,
    "Transfer over N connections at once, which is faster over a long distance. Default: 1",
    "-j",
  ),
  dryRun: flag("Print the changes without making them", "-n"),
  quiet: flag("Print failures only: no progress, no summary", "-q"),
  quietUnlessChanged: flag("Print nothing if nothing was transferred, removed or failed"),
};

/** Failures that all later files have, too; only the first is printed. */
const commonKinds: ReadonlySet<Kind> = new Set<Kind>(["unavailable", "no-space"]);
/** The most notes that are printed; others are counted. */
const maxNotes = 10;

/** The options for the display of a transfer. */
interface Display {
  readonly json: boolean;
  readonly quiet?: boolean;
  readonly quietUnlessChanged?: boolean;
  readonly dryRun?: boolean;
}

/** Starts a transfer with the options for its display. */
export type Transfer = (display: Pick<TransferOptions, "onEvent" | "ready">) => Promise<Totals>;

/**
 * Runs a transfer. Prints progress and failures on standard error, and with `json` an object for
 * each file on standard output.
 *
 * @returns the exit code that all failures share, else 1
 */
export async function printTransfer(
  op: "put" | "get",
  { json, quiet = false, quietUnlessChanged = false, dryRun = false }: Display,
  transfer: Transfer,
): Promise<number> {
  const start = performance.now();
  const failures: Kind[] = [];
  using line = progress(quiet || quietUnlessChanged);
  const notes = new Notes(quietUnlessChanged);
  const mark = dryRun ? { dryRun } : {};
  const onEvent = (event: TransferEvent) => {
    line?.add(event);
    if (event.type === "done") {
      const { result } = event;
      const isShown = !quietUnlessChanged || result.status !== "skipped";
      if (json && isShown) printJson({ ...resultFields(op, result), ...mark });
      else if (dryRun && result.status === "sent") printLine(`${op} ${between(op, result)}`);
      if (result.error) {
        failures.push(result.error.kind);
        notes.failure(withVerb(result.error, op));
      }
    } else if (event.type === "removed") {
      if (json) printJson({ ...removedFields(event), ...mark });
      else if (dryRun) printLine(`remove ${op === "put" ? event.path : event.local}`);
    } else if (event.type === "note" && !quiet) notes.note(event.message);
  };
  const totals = await transfer({ onEvent, ready: () => keepUp(stdoutClosed) }).catch((cause) => {
    throw cause instanceof BargeError && cause.kind === "interrupted"
      ? cause.with({ hint: "run the same command again to resume" })
      : cause;
  });
  const { sent, resumed, skipped, failed, removed } = totals;
  const isChanged = sent + resumed + failed + removed > 0;
  notes.end(isChanged);
  line?.hide();
  const files = sent + resumed + skipped + failed;
  const text = summary(totals, (performance.now() - start) / 1000, dryRun);
  const isShown = quietUnlessChanged ? isChanged : terminal.stderr || files !== 1 || removed > 0;
  if (!quiet && isShown) note(text);
  else record(text);
  return sharedCode(failures);
}

/**
 * Returns the summary of a transfer.
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
    resumed > 0 && (moved === 1 ? "resumed" : `${number(resumed)} of them resumed`),
    skipped > 0 && `${number(skipped)} unchanged`,
    removed > 0 && `${number(removed)} removed`,
    failed > 0 && `${number(failed)} failed`,
  ];
  const time = dryRun ? "; nothing was done (--dry-run)" : ` in ${duration(seconds)}`;
  const files = `${counted(moved, "file")}, ${formatSize(bytes)}${time}`;
  return [files, ...parts.filter(Boolean)].join("; ");
}

/** Returns a file's outcome as `--json` shows it. The fields are frozen; a download has one more. */
function resultFields(op: "put" | "get", result: TransferResult) {
  const { path, local, size, sha256, status, offset, error, verified = null } = result;
  // The message names the local file if this machine refused it, since the kind is the same if the server does.
  const isLocal = error?.path === local && error.op !== op;
  const message = isLocal ? String(error) : error?.message;
  const failure = error && { kind: error.kind, message };
  const fields = { path, local, size, sha256, status, offset, error: failure };
  return op === "get" ? { ...fields, verified } : fields;
}

/** Returns a removal by `--delete` as `--json` shows it, with the same fields. */
function removedFields({ path, local }: { readonly path: string; readonly local: string }) {
  return { path, local, size: 0, sha256: null, status: "removed", offset: 0, error: null };
}

/**
 * Prints failures and notes. Counts repeated ones: a broken connection fails thousands of files with
 * one message, and a tree may be full of symbolic links.
 */
class Notes {
  #last = "";
  #repeats = 0;
  #hint = "";
  #notes = 0;
  /** Notes that are printed at the end if something has changed; undefined: notes are printed now. */
  readonly #held: string[] | undefined;

  constructor(held: boolean) {
    this.#held = held ? [] : undefined;
  }

  failure(error: BargeError): void {
    // An interruption is reported once, at the end.
    if (error.kind === "interrupted" || stdoutClosed.aborted) return;
    const text = `barge: ${error}`;
    const cause = commonKinds.has(error.kind) ? error.message : text;
    if (cause === this.#last) {
      this.#repeats++;
      return;
    }
    this.#endRepeats();
    this.#last = cause;
    note(text);
    const hint = hintOf(error);
    if (hint && hint !== this.#hint) note(`(${hint})`);
    this.#hint = hint ?? this.#hint;
  }

  note(message: string): void {
    if (++this.#notes > maxNotes) return;
    const text = `barge: ${message}`;
    if (this.#held) this.#held.push(text);
    else note(text);
  }

  /** @param isChanged false: held notes are not printed */
  end(isChanged: boolean): void {
    this.#endRepeats();
    if (!isChanged && this.#held) return this.#held.forEach(record);
    this.#held?.forEach((text) => note(text));
    const more = this.#notes - maxNotes;
    if (more > 0) note(`barge: and ${number(more)} more of these`);
  }

  #endRepeats(): void {
    if (this.#repeats > 0) note(`barge: and ${number(this.#repeats)} more of the same`);
    this.#repeats = 0;
  }
}

function between(op: "put" | "get", { path, local }: TransferResult): string {
  return op === "put" ? `${local} -> ${path}` : `${path} -> ${local}`;
}

/** A number of entries, or a percentage. */
function maxDelete() {
  const parse = (text: string): MaxDelete | undefined => {
    const [, digits, percent] = /^(\d{1,9})(%?)$/.exec(text) ?? [];
    if (digits === undefined) return undefined;
    const amount = Number(digits);
    if (percent === "") return { entries: amount };
    return amount <= 100 ? { percent: amount } : undefined;
  };
  const wanted = "a number like 100 or a percentage like 10%";
  return { ...valueParser("N|P%", parse, wanted), types: ["integer", "string"] as const };
}
