// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
import { isLastingAdmin, removesLastAdmin } from "../storage/account_rules.ts";
import type { AccountChanges, AccountStore, RemovedAccount } from "../storage/accounts.ts";
import type { Parts } from "./parts.ts";
import { removeAccount } from "./remove_account.ts";

/** Returns the accounts on one machine. */
export function localAccounts(parts: Parts): AccountStore {
  const { accounts, bans, credentials, db, ledger, registrations, reservations, vault } = parts;
  return {
    list: async () => accounts.list(),
    find: async (name) => accounts.find(name),
    byId: async (id) => accounts.byId(id),
    get: async (name) => accounts.get(name),
    add: async (account) => accounts.add(account),
    change: async (name, change) => accounts.change(name, change),
    apply: (changes) => applyChanges(parts, changes),
    needFreeHome: async (name) => accounts.needFreeHome(name),
    async register(account, host, limits) {
      const attempt = registrations.begin(host, limits);
      return db.transaction(() => {
        const added = accounts.add(account);
        registrations.made(attempt, added.id, account.limit, limits);
        return added;
      });
    },
    grow: async ({ id, credential }, limit, check, maxTotal) =>
      db.transaction(() => {
        const account = credentials.account(id, credential);
        if (!account) return undefined;
        check(account);
        registrations.grown(account.id, limit, maxTotal);
        return accounts.change(account.name, { limit });
      }),
    remove: (name, options) => removeAccount(parts, name, options),
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
): Promise<ReadonlyMap<string, RemovedAccount>> {
  const { accounts, db } = parts;
  db.transaction(() => {
    for (const account of added) accounts.add(account);
    for (const { name, change } of changed) accounts.change(name, change);
    checkRemovals(accounts, removed);
  });
  const homes = new Map<string, RemovedAccount>();
  for (const name of removed) homes.set(name, await removeAccount(parts, name, { purge: false }));
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
