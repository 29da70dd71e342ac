/**
 * Logging in where the protocol carries the password itself: FTP, SFTP, HTTP.
 *
 * Here the server does the costly scrypt, off the event loop, as many at a time as derivations.ts
 * allows; one whose client has left is not worked on. So a flood of logins holds up other logins
 * from its own address, and nothing else. A banned login is refused without that work: how long it
 * takes tells that it is banned, and not whether there is such an account.
 */
import type { Attempt } from "../local/account/bans.ts";
import { matches } from "../protocol/verifier.ts";
import { type Applicant, Derivations } from "./derivations.ts";
import { admit, lookUp, type Pause } from "./login.ts";
import type { Session } from "./session.ts";
import type { Store } from "../local/store.ts";

/** What a client says of itself. */
export interface Credentials {
  /** The account. With a token any name will do that is empty or the account's. */
  readonly name: string;
  /** The password, or a token: `barge_ID_SECRET`. */
  readonly secret: string;
  /** The client's numeric address, without the port. */
  readonly host: string;
  /** Aborted when the client has left: nobody waits for the answer any more. */
  readonly gone?: AbortSignal;
}

/**
 * Logs in with a password, or with a token in its place.
 *
 * @param pause waits before a failure is told
 * @throws {BargeError} `unauthenticated`, one answer for every reason; `unavailable` when too many
 *   log in at the moment; why `gone` was aborted; what `pause` throws
 */
export async function enter(
  store: Store,
  { name, secret, host, gone }: Credentials,
  pause: Pause,
): Promise<Session> {
  const token = /^barge_([^_\s]+)_(\S+)$/.exec(secret);
  if (token) return await enterByToken(store, name, token[1], token[2], host, pause);
  const known = lookUp(store, "password", name);
  const decoy = store.accounts.decoy(name); // also where it is not needed: the same work for all
  const account = store.accounts.byId(known?.account.id ?? 0);
  const attempt: Attempt = { account, name, mechanism: "password", host };
  const proved = !store.bans.banned(attempt) && secret !== "" &&
    await bounded(() => matches("password", secret, known?.verifier ?? decoy), gone, {
      account: name,
      host,
    });
  return await admit(store, attempt, account, proved ? known?.credential : undefined, pause);
}

async function enterByToken(
  store: Store,
  name: string,
  id: string,
  secret: string,
  host: string,
  pause: Pause,
): Promise<Session> {
  const known = lookUp(store, "token", id);
  const proved = known !== undefined && await matches("token", secret, known.verifier);
  const fits = name === "" || name === known?.account.name;
  const attempt: Attempt = { account: known?.account, name: id, mechanism: "token", host };
  const credential = proved && fits ? known.credential : undefined;
  return await admit(store, attempt, known?.account, credential, pause);
}

let derivations = new Derivations();

/**
 * Has this isolate count its derivations together with others.
 *
 * @param worker which of them it is, from 0
 */
export function shareDerivations(worker: number, table: SharedArrayBuffer | undefined): void {
  derivations = new Derivations(worker, table);
}

/**
 * Runs a scrypt when its turn has come.
 *
 * @param gone aborted when nobody waits for it any more
 * @param applicant whom it is for: one account and one address have one at a time
 * @throws {BargeError} `unavailable` when too many wait, or it has waited for too long; why `gone`
 *   was aborted, if that was before it ran
 */
export function bounded<T>(
  work: () => Promise<T>,
  gone?: AbortSignal,
  applicant?: Applicant,
): Promise<T> {
  return derivations.run(work, applicant, gone);
}
