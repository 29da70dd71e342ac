import type { Service } from "./service.ts";

/**
 * Returns the account name of a login attempt for the access log; for a token, the name of its owner. An
 * unknown name becomes `?` and a keyed digest, as in the list of bans: users sometimes type a password there.
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
