/**
 * Removing an account, without losing a byte unless that is asked for: its home is moved to
 * `removed/NAME-TIME` in the data directory, where no door shows it; its files in /public stay,
 * charged to nobody.
 */
import { discard } from "../vault/staging.ts";
import { typed } from "../error.ts";
import type { Store } from "./store.ts";

export interface RemovedAccount {
  /** Where the home is kept; null when it was empty, or purged. */
  readonly kept: string | null;
  /** What the account was charged for. */
  readonly files: number;
  readonly bytes: number;
}

/**
 * @param purge delete the home, and the account's files in /public
 * @throws {BargeError} `not-found`
 */
export async function removeAccount(
  store: Store,
  name: string,
  options: { readonly purge: boolean },
): Promise<RemovedAccount> {
  const { accounts, ledger, reservations, vault } = store;
  const account = accounts.get(name);
  const owned = ledger.owned(account.id);
  const home = { dir: "homes", name: account.name };
  const empty = !vault.find(home) || (await vault.names(home)).length === 0;
  const stamp = new Date().toISOString().replaceAll(":", "-");
  const target = { dir: "removed", name: `${account.name}-${stamp}` };
  if (!vault.find({ dir: "", name: "removed" })) vault.mkdir({ dir: "", name: "removed" }, false);
  const uploads = store.db.transaction(() => {
    const ids = reservations.uploads().filter((u) => u.account === account.id).map((u) => u.id);
    const shared = options.purge ? ledger.ownedPlaces(account.id, "public") : [];
    accounts.remove(name);
    if (vault.find(home)) vault.rename(home, target);
    ledger.forget(home);
    for (const place of shared) {
      ledger.forget(place);
      Deno.removeSync(`${vault.root}/${place.dir}/${place.name}`);
    }
    return ids;
  });
  for (const id of uploads) discard(vault, id);
  const kept = `${vault.root}/${target.dir}/${target.name}`;
  if (empty || options.purge) {
    try {
      await Deno.remove(kept, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw typed(error, { path: kept });
    }
  }
  return { kept: empty || options.purge ? null : kept, ...owned };
}
