/**
 * Logging in where the protocol carries the password itself: FTP, SFTP, HTTP.
 *
 * Here the server does the costly scrypt, off the event loop, `mostRunning` at a time in each worker.
 * A login that comes when `mostWaiting` wait already is refused, and so is one that has waited for
 * `longestWaitMs`; one whose client has left is not worked on. So a flood of logins holds up other
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
const mostRunning = 2;
const mostWaiting = 64;
/** Longer than a full queue takes on a slow machine, and than any client waits. */
const longestWaitMs = 120_000;

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
    await bounded(() => matches("password", secret, known?.verifier ?? decoy), gone);
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

let running = 0;
/** Each gives its turn to one that waits, the oldest first. */
const waiting = new Set<() => void>();

/**
 * Runs a scrypt, in the order in which they are asked for. One that runs can't be stopped: it ends
 * by itself, as its costs are bounded (protocol/message.ts).
 *
 * @param gone aborted when nobody waits for it any more
 * @param withinMs how long it may wait to run
 * @throws {BargeError} `unavailable` when too many wait, or it has waited for too long; why `gone`
 *   was aborted, if that was before it ran
 */
export async function bounded<T>(
  work: () => Promise<T>,
  gone?: AbortSignal,
  withinMs = longestWaitMs,
): Promise<T> {
  gone?.throwIfAborted();
  if (running < mostRunning) running++;
  else await turn(gone, withinMs);
  try {
    return await work();
  } finally {
    const [next] = waiting;
    if (next) next();
    else running--;
  }
}

/** Waits until one that runs hands its place over. */
async function turn(gone: AbortSignal | undefined, withinMs: number): Promise<void> {
  if (waiting.size >= mostWaiting) throw tooMany();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const next = () => {
    waiting.delete(next);
    resolve();
  };
  const leave = (why: unknown) => {
    waiting.delete(next); // at once: its place is another's
    reject(why);
  };
  const late = setTimeout(() => leave(tooMany()), withinMs);
  const stop = () => leave(gone!.reason);
  waiting.add(next);
  gone?.addEventListener("abort", stop, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(late);
    gone?.removeEventListener("abort", stop);
  }
}

function tooMany(): BargeError {
  return new BargeError("unavailable", "too many clients log in at the moment", {
    op: "log in",
    hint: "try again in a moment",
  });
}
