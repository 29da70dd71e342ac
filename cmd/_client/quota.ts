/** Prints quotas. */
import { printJson, printLine } from "../_term/out.ts";
import { number } from "../_term/progress.ts";
import { baseOf, formatLimit, formatSize } from "../../core/size.ts";

export interface Quota {
  readonly account: string;
  readonly used: number;
  readonly reserved: number;
  readonly limit: number | null;
  readonly left: number | null;
  /** The number of files, folders and partial uploads; undefined: from an older server. */
  readonly entries?: number;
  readonly entryLimit?: number | null;
}

/** Prints the quota of an account. The fields of `--json` are frozen. */
export function printQuota(quota: Quota, json: boolean): void {
  const { account, used, reserved, limit, left, entries, entryLimit } = quota;
  if (json) {
    const counts = { entries: entries ?? null, entryLimit: entryLimit ?? null };
    return printJson({ account, used, reserved, limit, left, ...counts });
  }
  const size = (bytes: number) => formatSize(bytes, baseOf(limit));
  const available = left === null ? "no limit" : `${size(left)} left of ${formatLimit(limit)}`;
  const pending = reserved > 0 ? `, ${size(reserved)} reserved for uploads` : "";
  printLine(`${account}: ${size(used)} used${pending}, ${available}`);
  if (entries === undefined) return;
  const limitText = typeof entryLimit === "number" ? ` of ${number(entryLimit)}` : "";
  printLine(`  entries: ${number(entries)}${limitText} (files, folders and partial uploads)`);
}

/** Returns the quota of an account's row. */
export function quotaOf(
  account: Omit<Quota, "account" | "left"> & { readonly name: string },
): Quota {
  const { name, used, reserved, limit, entries, entryLimit } = account;
  const left = limit === null ? null : Math.max(0, limit - used - reserved);
  return { account: name, used, reserved, limit, left, entries, entryLimit };
}
