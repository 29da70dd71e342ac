// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
import type { AccountStore } from "../storage/accounts.ts";
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
    }),
  };
}
