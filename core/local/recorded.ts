/** Changes of accounts with their records in the audit trail. */
import type { Account } from "../storage/account.ts";
import type { AccountChange } from "../storage/accounts.ts";
import type { Actor, AuditEntry } from "../storage/audit/audit.ts";
import { accountChanged } from "../storage/audit/entries.ts";
import type { Parts } from "./parts.ts";

/** Changes an account and records what differs, inside a transaction. */
export function changeRecorded(
  { accounts }: Parts,
  record: (entry: AuditEntry) => void,
  { name, change, by }: {
    readonly name: string;
    readonly change: AccountChange;
    readonly by: Actor;
  },
): Account {
  const before = accounts.get(name);
  const { account, changes } = accounts.change(name, change);
  if (changes) record(accountChanged(before, changes, by));
  return account;
}
