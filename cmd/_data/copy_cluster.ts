/** Copies storage that many machines share to a new data directory, and prints the problems. */
import type { Migrated, MigrateOptions, MigrateProblem } from "../../core/migrate/report.ts";
import type { SharedStorage } from "../../core/shared/storage.ts";
import type { ReconcileEvent } from "../../core/storage/problem.ts";
import { printJson, printLine } from "../_term/out.ts";
import type { Progress, Step } from "../_term/progress.ts";

/** Returns the options of a migration that report its progress and print its problems. */
export function reporting(
  shown: Progress | undefined,
  json: boolean,
  signal: AbortSignal,
): MigrateOptions {
  return {
    signal,
    onEvent: shown && ((event) => shown.add(stepOf(event))),
    onProblem: (problem) => printProblem(problem, json),
  };
}

/**
 * Copies everything, or goes on with a copy that was cut off.
 *
 * @param data the directory, which is made if it is missing
 * @throws {BargeError} `exists` for a directory with other data; as `requirePrepared`, and as the two kinds of storage do
 */
export async function copyCluster(
  shared: SharedStorage,
  data: string,
  options: MigrateOptions & { readonly address: string },
): Promise<Migrated> {
  const { lockData, prepareData } = await import("../../core/serve/data.ts");
  const { toDirectory } = await import("../../core/migrate/to_directory.ts");
  const { requirePrepared } = await import("../../core/shared/prepare.ts");
  await requirePrepared(shared.parts);
  const path = prepareData(data);
  using _ = await lockData(path);
  return await toDirectory(shared, path, options);
}

function stepOf(event: ReconcileEvent): Step {
  if (event.type !== "start") return event;
  return { type: "start", path: event.path, local: "-", offset: event.skipped };
}

/** Prints a problem. The fields of `--json` are frozen. */
function printProblem({ kind, path, what }: MigrateProblem, json: boolean): void {
  if (json) printJson({ type: "problem", kind, path, what });
  else printLine(`${path}: ${what}`);
}
