/**
 * Logins with a public key (SFTP).
 *
 * A key can't be guessed: like a wrong token, a wrong key counts against the address alone, and does not
 * lock the account. An unknown name gets the answer to a wrong key, after the same time.
 */
import type { Service } from "./service.ts";
import type { Attempt } from "../storage/logins.ts";
import { fingerprintOf } from "../storage/public_key.ts";
import { admit, fail, type Pause } from "./login.ts";
import type { Credentials } from "./password.ts";
import type { Session } from "./session.ts";

interface KeyCredentials extends Pick<Credentials, "name" | "host"> {
  /** The public key, in the format of RFC 4253, section 6.6. */
  readonly key: Uint8Array;
  /** Checks the signature; called only where the account has the key. */
  readonly proves: () => boolean;
}

/**
 * Returns whether a client may log in with a key: the account has it, and no ban applies. A key that the
 * account does not have counts as a failed login of the address alone.
 */
export async function acceptsKey(
  store: Service,
  { name, key, host }: Omit<KeyCredentials, "proves">,
): Promise<boolean> {
  const { accounts, logins } = store.people;
  const owner = await logins.byKey(name, fingerprintOf(key));
  const account = await accounts.find(name);
  const attempt: Attempt = { account, name, mechanism: "question", host, door: "sftp" };
  const banned = await logins.isBanned(attempt);
  if (!owner && !banned) await fail(store, attempt);
  return owner !== undefined && !banned;
}

/**
 * Logs in with a key.
 *
 * @param pause waits before the answer to a failure
 * @throws {BargeError} `unauthenticated`, one answer for every reason; as `pause`
 */
export async function logInByKey(
  store: Service,
  { name, key, host, proves }: KeyCredentials,
  pause: Pause,
): Promise<Session> {
  const fingerprint = fingerprintOf(key);
  const account = await store.people.logins.byKey(name, fingerprint);
  const attempt: Attempt = { account, name, mechanism: "key", host, door: "sftp" };
  const proved = account && proves() ? { kind: "key", fingerprint } as const : undefined;
  return await admit(
    store,
    attempt,
    account,
    proved && { credential: proved, door: "sftp" },
    pause,
  );
}
