/** The account that a login names, as the access log may hold it. */
import type { Store } from "../local/store.ts";

/**
 * Returns the name of the account; of a token in the name's place, that of its owner. A name that no
 * account has is `?` and a keyed digest, as in the list of bans: people type passwords there.
 *
 * @returns null for no name
 */
export function claimed(store: Store, name: string): string | null {
  if (name === "") return null;
  const [, id] = /^barge_([^_\s]+)_/.exec(name) ?? [];
  const token = id === undefined ? undefined : store.tokens.find(id);
  const account = token ? store.accounts.byId(token.account) : store.accounts.find(name);
  return account?.name ?? store.bans.markOf(name);
}
