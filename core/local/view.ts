import { type Account, type Login, mayLogIn } from "../storage/account.ts";
import type { View } from "../storage/view.ts";
import { lookOnce } from "./entry.ts";
import type { Parts } from "./parts.ts";

/**
 * Returns the view of a guard, valid while the caller has the write lock. Accounts are looked up once,
 * for all guards of a batch.
 *
 * @param look `look` for a view without the write lock
 */
export function viewOf(parts: Parts, look = lookOnce): View {
  const { accounts, credentials, folders, ledger, locks, vault } = parts;
  const lookedUp = new Map<Login, Account | undefined>();
  return {
    account(login) {
      if (lookedUp.has(login)) return lookedUp.get(login);
      const account = credentials.account(login.id, login.credential);
      lookedUp.set(login, account);
      return account;
    },
    isEnabled: (id) => {
      const account = accounts.byId(id);
      return account !== undefined && mayLogIn(account);
    },
    entry: (place) => look(parts, place),
    needFolder: ({ dir }) => vault.needFolder(dir),
    isEmpty: (place) => vault.isEmpty(place),
    foreignFile: (place, account) => ledger.foreign(place, account),
    hasForeignFolder: (place, account) => folders.foreign(place, account),
    locksOver: (place) => locks.over(place),
    locksOn: (place) => locks.on(place),
    locksBelow: (place) => locks.below(place),
  };
}
