/**
 * Removes an account. Unless its files are to be purged, its home is moved to `removed/NAME-TIME` in
 * the data directory, where no door shows it, and its files in /public stay, charged to nobody.
 */
import { typed } from "../error.ts";
import type { RemovedAccount } from "../storage/accounts.ts";
import { type Actor, operator } from "../storage/audit/audit.ts";
import { accountRemoved } from "../storage/audit/entries.ts";
import { discardDropped } from "./partial_upload.ts";
import type { Parts } from "./parts.ts";
import type { Vault } from "./vault/vault.ts";

/** The folder of removed accounts' homes, in the data directory. */
export const removedDir = "removed";

/** Makes the folder that homes are moved to. A server calls this at its start: later, the disk may be full. */
export function makeRemovedFolder(vault: Vault): void {
  const place = { dir: "", name: removedDir };
  if (!vault.find(place)) vault.mkdir(place, false);
  vault.needFolder(removedDir);
}

/**
 * Removes an account: see `AccountStore.remove`.
 *
 * @param purge delete the home, and the account's files in /public
 * @throws {BargeError} `not-found`; `refused` when no admin could log in any more
 */
export async function removeAccount(
  parts: Parts,
  name: string,
  options: { readonly purge: boolean },
  by: Actor = operator,
): Promise<RemovedAccount> {
  const { accounts, audit, ledger, uploadsAt, vault } = parts;
  const account = accounts.get(name);
  const owned = ledger.owned(account.id);
  const home = { dir: "homes", name: account.name };
  const stamp = new Date().toISOString().replaceAll(":", "-");
  const target = { dir: removedDir, name: `${account.name}-${stamp}` };
  makeRemovedFolder(vault);
  const uploads = audit.recording((record) => {
    const ids = uploadsAt.dropOf(account.id);
    const shared = options.purge ? ledger.ownedPlaces(account.id, "public") : [];
    accounts.remove(name);
    record(accountRemoved(account.name, owned, options.purge, by));
    ledger.forget(home);
    for (const place of shared) ledger.forgetFile(place);
    parts.db.runCommitChecks();
    // The disk is changed last, after the database has accepted the change. A crash from here on may leave the
    // account without its home. The same command, run again, then completes the removal.
    for (const place of shared) vault.removeFile(place);
    if (vault.find(home)) vault.rename(home, target);
    return ids;
  });
  vault.sync("homes");
  vault.sync(target.dir);
  discardDropped(parts, uploads);
  const kept = `${vault.root}/${target.dir}/${target.name}`;
  return { kept: await clear(kept, options.purge) ? null : kept, ...owned };
}

/** Deletes a moved home. @param all false: only if it is empty @returns whether it is gone */
async function clear(kept: string, all: boolean): Promise<boolean> {
  try {
    await Deno.remove(kept, { recursive: all });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    if (!all) return false;
    throw typed(error, { path: kept });
  }
}
