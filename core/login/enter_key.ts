/**
 * Logging in with a public key that the account has (SFTP).
 *
 * A key can't be guessed: like a wrong token, a wrong one counts against its address alone, and keeps
 * nobody out of the account. What an unknown name is answered, and when, is what a wrong key is.
 */
import type { Attempt } from "../local/account/bans.ts";
import { fingerprintOf } from "../local/account/keys.ts";
import { admit, fail, noted, type Pause } from "./login.ts";
import type { Session } from "./session.ts";
import type { Store } from "../local/store.ts";

/** What a client says of itself. */
export interface KeyCredentials {
  /** The account. */
  readonly name: string;
  /** The public key, as RFC 4253, section 6.6 has it. */
  readonly key: Uint8Array;
  /** The client's numeric address, without the port. */
  readonly host: string;
  /** Did it sign with that key? Asked only where the account has it. */
  readonly proves: () => boolean;
}

/**
 * Answers whether the account has such a key, to somebody who might log in with it. No counts as a
 * failed login of the address alone, and is what a banned one is always answered.
 */
export function asksForKey(
  store: Store,
  { name, key, host }: Omit<KeyCredentials, "proves">,
): boolean {
  const known = store.keys.find(name, fingerprintOf(key));
  const attempt: Attempt = {
    account: store.accounts.find(name),
    name,
    mechanism: "question",
    host,
  };
  const banned = store.bans.banned(attempt);
  if (known === undefined && !banned) fail(store, attempt);
  return known !== undefined && !banned;
}

/**
 * Logs in with a key.
 *
 * @param pause waits before a failure is told
 * @throws {BargeError} `unauthenticated`, one answer for every reason; what `pause` throws
 */
export async function enterByKey(
  store: Store,
  { name, key, host, proves }: KeyCredentials,
  pause: Pause,
): Promise<Session> {
  const fingerprint = fingerprintOf(key);
  const known = store.keys.find(name, fingerprint);
  const account = store.accounts.byId(known ?? 0);
  const attempt: Attempt = { account, name, mechanism: "key", host };
  const proved = known !== undefined && proves()
    ? { kind: "key", fingerprint } as const
    : undefined;
  const session = await admit(store, attempt, account, proved, pause);
  noted(() => store.keys.touch(session.id, fingerprint));
  return session;
}
