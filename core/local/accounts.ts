// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
import { isLastingAdmin, removesLastAdmin } from "../storage/account_rules.ts";
import type { AccountChanges, AccountStore, RemovedAccount } from "../storage/accounts.ts";
import { type Actor, operator } from "../storage/audit/audit.ts";
import { accountAdded } from "../storage/audit/entries.ts";
import type { Parts } from "./parts.ts";
import { changeRecorded } from "./recorded.ts";
import { removeAccount } from "./remove_account.ts";

/** Returns the accounts on one machine. */
export function localAccounts(parts: Parts): AccountStore {
  const { accounts, audit, bans, credentials, ledger, registrations, reservations, vault } = parts;
  return {
    list: async () => accounts.list(),
    find: async (name) => accounts.find(name),
    byId: async (id) => accounts.byId(id),
    get: async (name) => accounts.get(name),
    add: async (account, by = operator) =>
      audit.recording((record) => {
        const added = accounts.add(account);
        record(accountAdded(added, by));
        return added;
      }),
    change: async (name, change, by = operator) =>
      audit.recording((record) => changeRecorded(parts, record, { name, change, by })),
    apply: (changes, by = operator) => applyChanges(parts, changes, by),
    needFreeHome: async (name) => accounts.needFreeHome(name),
    async register(account, host, limits, by = operator) {
      const attempt = registrations.begin(host, limits);
      return audit.recording((record) => {
        const added = accounts.add(account);
        registrations.made(attempt, added.id, account.limit, limits);
        record(accountAdded(added, by));
        return added;
      });
    },
    grow: async ({ id, credential }, limit, check, maxTotal, by = operator) =>
      audit.recording((record) => {
        const account = credentials.account(id, credential);
        if (!account) return undefined;
        check(account);
        registrations.grown(account.id, limit, maxTotal);
        return changeRecorded(parts, record, { name: account.name, change: { limit }, by });
      }),
    remove: (name, options, by = operator) => removeAccount(parts, name, options, by),
    makeHome: async (name) => void vault.mkdir({ dir: "homes", name }, true),
    owned: async (id) => ledger.owned(id),
    totals: async () => ({
      accounts: accounts.totals(),
      uploads: reservations.totals(),
      banned: bans.count(),
      nearQuota: accounts.countNearQuota(),
    }),
  };
}

/**
 * Applies changes: removals come last, since they move homes on disk, which no rollback would undo. After a
 * failure of the disk, the caller completes the removals by applying the same changes again.
 */
async function applyChanges(
  parts: Parts,
  { added, changed, removed }: AccountChanges,
  by: Actor,
): Promise<ReadonlyMap<string, RemovedAccount>> {
  const { accounts, audit } = parts;
  audit.recording((record) => {
    for (const account of added) record(accountAdded(accounts.add(account), by));
    for (const { name, change } of changed) changeRecorded(parts, record, { name, change, by });
    checkRemovals(accounts, removed);
  });
  const homes = new Map<string, RemovedAccount>();
  for (const name of removed) {
    homes.set(name, await removeAccount(parts, name, { purge: false }, by));
  }
  return homes;
}

/** Refuses removals that would fail only after other removals were made. */
function checkRemovals(accounts: Parts["accounts"], names: readonly string[]): void {
  const removed = names.map((name) => accounts.get(name).id);
  const all = accounts.list();
  const left = all.filter(({ id }) => !removed.includes(id));
  const hasAdmin = (of: typeof all) => of.some(isLastingAdmin);
  if (left.length > 0 && hasAdmin(all) && !hasAdmin(left)) throw removesLastAdmin();
}
