import type { Account } from "./account.ts";
import type { AccountChange } from "./accounts.ts";

/**
 * Returns the fields of a change that differ from the account; undefined where nothing differs. A password always
 * differs: it ends logins even if it is the former one. An entry limit also differs where it follows the quota, since
 * it is fixed once it is set.
 *
 * @example
 * ```ts
 * import { changedFields } from "./account_change.ts";
 * const anna = { role: "admin", from: ["10.0.0.0/8"], disabled: false, entryLimit: 10, entryLimitSet: true } as never;
 * if (changedFields(anna, { role: "admin", from: ["10.0.0.0/8"] })) throw new Error();
 * if (changedFields(anna, { entryLimit: 10 })) throw new Error();
 * if (changedFields(anna, { role: "admin", disabled: true })?.disabled !== true) throw new Error();
 * ```
 */
export function changedFields(before: Account, change: AccountChange): AccountChange | undefined {
  const differs = ([field, value]: [string, unknown]) =>
    value !== undefined &&
    (field === "verifier" || field === "entryLimit" && !before.entryLimitSet ||
      JSON.stringify(before[field as keyof Account]) !== JSON.stringify(value));
  const fields = Object.entries(change).filter(differs);
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}
