/** How a quota is printed. */
import { printJson, printLine } from "../_term/out.ts";
import { number } from "../_term/progress.ts";
import { baseOf, formatLimit, formatSize } from "../_term/size.ts";

export interface Quota {
  readonly account: string;
  readonly used: number;
  readonly reserved: number;
  readonly limit: number | null;
  readonly left: number | null;
  /** Files, folders and partial uploads; undefined: an older server does not say. */
  readonly entries?: number;
  readonly entryLimit?: number | null;
}

/** Prints what an account uses and may use. The fields of `--json` are frozen. */
export function printQuota(quota: Quota, json: boolean): void {
  const { account, used, reserved, limit, left, entries, entryLimit } = quota;
  if (json) {
    const counts = { entries: entries ?? null, entryLimit: entryLimit ?? null };
    return printJson({ account, used, reserved, limit, left, ...counts });
  }
  const size = (bytes: number) => formatSize(bytes, baseOf(limit));
  const room = left === null ? "no limit" : `${size(left)} left of ${formatLimit(limit)}`;
  const waiting = reserved > 0 ? `, ${size(reserved)} reserved for uploads` : "";
  printLine(`${account}: ${size(used)} used${waiting}, ${room}`);
  if (entries === undefined) return;
  const most = typeof entryLimit === "number" ? ` of ${number(entryLimit)}` : "";
  printLine(`  entries: ${number(entries)}${most} (files, folders and partial uploads)`);
}

/** An account's quota, from its row. */
export function quotaOf(
  account: Omit<Quota, "account" | "left"> & { readonly name: string },
): Quota {
  const { name, used, reserved, limit, entries, entryLimit } = account;
  const left = limit === null ? null : Math.max(0, limit - used - reserved);
  return { account: name, used, reserved, limit, left, entries, entryLimit };
}
