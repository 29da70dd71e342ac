/** Sessions without a door. */
import type { Store } from "../../core/local/store.ts";
import { Session } from "../../core/login/session.ts";

/** Returns a session of an account, as after a login with its password. Makes its home. */
export function sessionOf(store: Store, name: string): Session {
  const account = store.accounts.get(name);
  store.vault.mkdir({ dir: "homes", name: account.name }, true);
  return new Session(store, account, {
    kind: "password",
    epoch: store.accounts.epoch(account.id)!,
  });
}
