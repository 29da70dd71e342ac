/** The account name of a login attempt, as the access log may hold it. */
import type { Service } from "./service.ts";

/**
 * Returns the name of the account; for a token in the name's place, the name of its owner. A name that no
 * account has becomes `?` and a keyed digest, as in the list of bans: people type passwords there.
 *
 * @returns null for an empty name
 */
export async function logName({ people }: Service, name: string): Promise<string | null> {
  if (name === "") return null;
  const { accounts, logins } = people;
  const [, id] = /^barge_([^_\s]+)_/.exec(name) ?? [];
  const token = id === undefined ? undefined : await logins.byToken(id);
  const account = token?.account ?? await accounts.find(name);
  return account?.name ?? await logins.markOf(name);
}
