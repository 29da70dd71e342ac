/**
 * Logins where the protocol carries the password itself: FTP, SFTP, HTTP.
 *
 * The server derives the key with scrypt, off the event loop, as many at a time as derivations.ts allows,
 * and not for a client that has left. So a flood of logins delays only other logins from its own address.
 * A banned login is refused without a derivation: the time reveals the ban, but not whether the account
 * exists.
 */
import type { Service } from "./service.ts";
import { matches } from "../protocol/verifier.ts";
import type { Attempt } from "../storage/logins.ts";
import { Derivations, type LoginClient } from "./derivations.ts";
import type { DoorName } from "../watch/metrics.ts";
import { admit, lookUp, type Pause } from "./login.ts";
import type { SecondStep } from "./second_factor.ts";
import type { Session } from "./session.ts";

/** A name and a secret that a client sends. */
export interface Credentials {
  /** The name of the account. With a token, it may also be empty. */
  readonly name: string;
  /** The password, or a token: `barge_ID_SECRET`. */
  readonly secret: string;
  /** The client's numeric address, without the port. */
  readonly host: string;
  readonly door: DoorName;
  /** Aborted when the client has left. */
  readonly gone?: AbortSignal;
  /** The code that the client sends with the password, or the way to ask for it. */
  readonly second?: SecondStep;
}

/**
 * Logs in with a password, or with a token in its place.
 *
 * @param pause waits before the answer to a failure
 * @throws {BargeError} `unauthenticated`, one answer for every reason; {@link FactorNeeded}; `unavailable` when
 *   too many log in at the moment; the reason of `gone`; as `pause`
 */
export async function logIn(
  store: Service,
  { name, secret, host, door, gone, second }: Credentials,
  pause: Pause,
): Promise<Session> {
  const token = /^barge_([^_\s]+)_(\S+)$/.exec(secret);
  if (token) {
    const [, id, tokenSecret] = token;
    return await logInByToken(store, id, { name, secret: tokenSecret, host, door }, pause);
  }
  const { logins, accounts } = store.people;
  const provable = await lookUp(store, "password", name);
  const decoy = await logins.decoy(name); // for every name, so that all take equally long
  const account = await accounts.byId(provable?.account.id ?? 0);
  const attempt: Attempt = { account, name, mechanism: "password", host, door };
  const verifier = provable?.verifier ?? decoy;
  const derive = () => matches("password", secret, verifier);
  const proved = !await logins.isBanned(attempt) && secret !== "" &&
    await runDerivation(derive, gone, { account: name, host });
  const credential = proved ? provable?.credential : undefined;
  return await admit(store, attempt, account, credential && { credential, door }, pause, second);
}

async function logInByToken(
  store: Service,
  id: string,
  { name, secret, host, door }: Credentials,
  pause: Pause,
): Promise<Session> {
  const provable = await store.people.logins.byToken(id);
  const account = provable?.account;
  const proved = provable !== undefined && await matches("token", secret, provable.verifier);
  const fits = name === "" || name === account?.name;
  const owner = account ?? await store.people.accounts.find(name);
  const attempt: Attempt = { account, owner, name: id, mechanism: "token", host, door };
  return await admit(
    store,
    attempt,
    account,
    proved && fits ? { ...provable, door } : undefined,
    pause,
  );
}

let derivations = new Derivations();

/** Shares the bounds on derivations with other isolates. @param worker the isolate's number, from 0 */
export function shareDerivations(worker: number, table: SharedArrayBuffer | undefined): void {
  derivations = new Derivations(worker, table);
}

/**
 * Runs a scrypt derivation when its turn has come.
 *
 * @param gone aborted when the client has left
 * @throws {BargeError} as `Derivations.run`
 */
export function runDerivation<T>(
  work: () => Promise<T>,
  gone?: AbortSignal,
  client?: LoginClient,
): Promise<T> {
  return derivations.run(work, client, gone);
}
