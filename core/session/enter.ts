/**
 * Logging in where the protocol carries the password itself: FTP, SFTP, HTTP.
 *
 * Here the server does the costly scrypt, off the event loop, `most` at a time in each worker; who
 * comes when `longest` wait already is told to come again. So a flood of logins holds up other
 * logins, and nothing else. A banned login is refused without that work: how long it takes tells
 * that it is banned, and not whether there is such an account.
 */
import type { Attempt } from "../account/bans.ts";
import { BargeError } from "../error.ts";
import { matches } from "../protocol/verifier.ts";
import { admit, lookUp, type Pause } from "./login.ts";
import type { Session } from "./session.ts";
import type { Store } from "./store.ts";

/** Each takes 32 MiB and a core for about 80 ms. */
const most = 2;
const longest = 64;

/** What a client says of itself. */
export interface Credentials {
  /** The account. With a token any name will do that is empty or the account's. */
  readonly name: string;
  /** The password, or a token: `barge_ID_SECRET`. */
  readonly secret: string;
  /** The client's numeric address, without the port. */
  readonly host: string;
}

/**
 * Logs in with a password, or with a token in its place.
 *
 * @param pause waits before a failure is told
 * @throws {BargeError} `unauthenticated`, one answer for every reason; `unavailable` when too many
 *   log in at the moment; what `pause` throws
 */
export async function enter(
  store: Store,
  { name, secret, host }: Credentials,
  pause: Pause,
): Promise<Session> {
  const token = /^barge_([^_\s]+)_(\S+)$/.exec(secret);
  if (token) return await enterByToken(store, name, token[1], token[2], host, pause);
  const known = lookUp(store, "password", name);
  const decoy = store.accounts.decoy(name); // also where it is not needed: the same work for all
  const account = store.accounts.byId(known?.account.id ?? 0);
  const attempt: Attempt = { account, name, mechanism: "password", host };
  const proved = !store.bans.banned(attempt) && secret !== "" &&
    await bounded(() => matches("password", secret, known?.verifier ?? decoy));
  return await admit(store, attempt, account, proved && known !== undefined, pause);
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
  return await admit(store, attempt, known?.account, proved && fits, pause);
}

let running = 0;
const waiting: (() => void)[] = [];

/**
 * Runs a scrypt, in the order in which they are asked for.
 *
 * @throws {BargeError} `unavailable` when too many wait
 */
export async function bounded<T>(work: () => Promise<T>): Promise<T> {
  if (running >= most) {
    if (waiting.length >= longest) {
      throw new BargeError("unavailable", "too many clients log in at the moment", {
        op: "log in",
        hint: "try again in a moment",
      });
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else {
    running++;
  }
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}
