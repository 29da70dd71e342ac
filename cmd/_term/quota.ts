/** How a quota is printed. */
import { printJson, printLine } from "./out.ts";
import { baseOf, formatLimit, formatSize } from "./size.ts";

export interface Quota {
  readonly account: string;
  readonly used: number;
  readonly reserved: number;
  readonly limit: number | null;
  readonly left: number | null;
}

/** Prints what an account uses and may use. The fields of `--json` are frozen. */
export function printQuota({ account, used, reserved, limit, left }: Quota, json: boolean): void {
  if (json) return printJson({ account, used, reserved, limit, left });
  const size = (bytes: number) => formatSize(bytes, baseOf(limit));
  const room = left === null ? "no limit" : `${size(left)} left of ${formatLimit(limit)}`;
  const waiting = reserved > 0 ? `, ${size(reserved)} reserved for uploads` : "";
  printLine(`${account}: ${size(used)} used${waiting}, ${room}`);
}

/** An account's quota, from its row. */
export function quotaOf(
  account: Omit<Quota, "account" | "left"> & { readonly name: string },
): Quota {
  const { name, used, reserved, limit } = account;
  const left = limit === null ? null : Math.max(0, limit - used - reserved);
  return { account: name, used, reserved, limit, left };
}
