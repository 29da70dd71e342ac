/**
 * Runs a transfer: finds all sources, with the existing names at the target where the options need
 * them; checks the sources together; then transfers one after the other.
 */
import type { BargeError } from "../../error.ts";
import type { Client } from "../client.ts";
import type { Filter } from "../filter/filter.ts";
import { checkOverlap } from "./check.ts";
import type { Report, Totals } from "./events.ts";
import type { TransferOptions } from "./options.ts";
import { type Action, filesToTransfer, type Item } from "./plan.ts";

/** A source that was found: a file, or the root of a tree. */
export interface Source {
  readonly local: string;
  /** The remote path. */
  readonly path: string;
  /** The items that the filter takes. */
  readonly items: readonly Item[];
  /** The names of all items, also of those that the filter does not take. */
  readonly names: readonly string[];
  readonly filter: Filter;
  readonly actions: ReadonlyMap<string, Action>;
}

/** A source that could not be found. */
export interface FailedSource extends Pick<Source, "local" | "path"> {
  readonly error: BargeError;
}

/** The steps in which put and get differ. */
export interface Steps<S extends Source> {
  /** Returns undefined for a source that is excluded or already done. */
  find(source: string): Promise<S | FailedSource | undefined>;
  transfer(source: S): Promise<void>;
  /** Waits for the answers that are due. */
  finish(): Promise<void>;
}

/**
 * @returns the totals; a file's failure is reported, and the other files are transferred
 * @throws {BargeError} `usage` for sources that overlap; `interrupted`
 */
export async function runTransfer<S extends Source>(
  op: "put" | "get",
  client: Client,
  report: Report,
  sources: readonly string[],
  { ready }: TransferOptions,
  { find, transfer, finish }: Steps<S>,
): Promise<Totals> {
  const jobs: (S | FailedSource)[] = [];
  for (const source of sources) {
    const job = await find(source);
    if (job) jobs.push(job);
    client.throwIfInterrupted();
  }
  const found = jobs.filter((job): job is S => !("error" in job));
  checkOverlap(op, found);
  const moving = found.flatMap(({ items, actions }) => filesToTransfer(items, actions));
  report.plan(moving.length, moving.reduce((sum, { size }) => sum + size, 0));
  for (const job of jobs) {
    await ready?.();
    if ("error" in job) report.failed(job.path, job.local, job.error);
    else await transfer(job);
    client.throwIfInterrupted();
  }
  await finish();
  client.throwIfInterrupted();
  return report.totals;
}
