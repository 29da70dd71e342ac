/**
 * Logging in by challenge and response (protocol/scram.ts).
 *
 * An unknown name is given a salt that is always the same for it, and then fails like a wrong
 * password does, after the same work; so does a disabled account, whatever its password.
 */
import { getLogger } from "@logtape/logtape";
import type { Account } from "../storage/account.ts";
import type { Credential } from "../storage/account.ts";
import { type Attempt, longestDelay } from "../local/account/bans.ts";
import { BargeError } from "../error.ts";
import type { Answer, Request, Verifier } from "../protocol/message.ts";
import {
  costs,
  type Exchange,
  type Mechanism,
  nonce,
  ownCosts,
  tokenCosts,
} from "../protocol/scram.ts";
import { verify } from "../protocol/verifier.ts";
import { Session } from "./session.ts";
import type { Store } from "../local/store.ts";

const log = getLogger(["barge", "login"]);

/** Waits so many ms, or less when nobody waits for the answer any more. */
export type Pause = (ms: number) => Promise<void>;

/** A login that waits for its proof. */
export interface Challenge {
  readonly answer: Answer<"auth">;
  /**
   * @param binding which certificate the client has been shown, if it says so
   * @throws {BargeError} `unauthenticated`, one answer for every reason; `unsupported` without a
   *   binding where one is due, `identity` with another than that; what `pause` throws
   */
  prove(
    proof: string,
    pause: Pause,
    binding?: string,
  ): Promise<{ session: Session; answer: Answer<"proof"> }>;
  /** Notes that no proof came: a failed login of the address. @returns as {@link fail} */
  abandon(): number;
}

/**
 * Begins a login.
 *
 * @param host the client's numeric address, without the port
 * @param endPoints the bindings of which the proof must have one; none: it must have none
 */
export function challenge(
  store: Store,
  request: Request<"auth">,
  host: string,
  endPoints: readonly string[] = [],
): Challenge {
  const { mechanism, account: name } = request;
  const known = lookUp(store, mechanism, name);
  const decoy = store.accounts.decoy(name); // also where it is not needed: the same work for all
  const verifier = known?.verifier ?? decoy;
  const cost = mechanism === "token" ? tokenCosts : costs; // never the account's own
  const exchange: Exchange = {
    mechanism,
    account: name,
    clientNonce: request.nonce,
    serverNonce: nonce(),
    salt: verifier.salt,
    n: cost.n,
    r: cost.r,
    p: cost.p,
  };
  const { serverNonce, salt, n, r, p } = exchange;
  const abandon = () => fail(store, { account: known?.account, name, mechanism: "question", host });
  return {
    abandon,
    answer: { nonce: serverNonce, salt, n, r, p },
    async prove(proof, pause, binding) {
      const wrong = misbound(binding, endPoints);
      if (wrong) {
        await pause(abandon());
        throw wrong;
      }
      const signature = verify(proof, verifier, { ...exchange, binding });
      const account = store.accounts.byId(known?.account.id ?? 0);
      const attempt: Attempt = { account, name, mechanism, host };
      const proved = signature !== undefined ? known?.credential : undefined;
      const session = await admit(store, attempt, account, proved, pause);
      const answer = { account: account!.name, role: account!.role, signature: signature! };
      return { session, answer };
    },
  };
}

/**
 * Is the login bound to another connection than this one? The proof covers the binding, so that
 * nobody between can change it. It is demanded wherever it can be: there is nothing to negotiate, and
 * so no way to talk both sides out of it.
 */
function misbound(
  binding: string | undefined,
  endPoints: readonly string[],
): BargeError | undefined {
  if (endPoints.length === 0 ? binding === undefined : endPoints.includes(binding ?? "")) return;
  const op = "log in";
  if (binding === undefined) {
    const why = "the login is not bound to the server's certificate";
    return new BargeError("unsupported", why, { op, hint: "the client is too old: update it" });
  }
  const why = "the client was shown another certificate than this server's";
  return new BargeError("identity", why, {
    op,
    hint: "somebody relays the connection. If that is a proxy of the operator's, let it pass TLS " +
      "through, or name its certificate with `barge serve --proxy-cert`",
  });
}

/**
 * The end of every login, whatever it was proved by.
 *
 * @param proved what it has shown that it knows the secret of, as it was when that was looked up;
 *   undefined: nothing
 * @throws {BargeError} `unauthenticated`, one answer for every reason; what `pause` throws
 */
export async function admit(
  store: Store,
  attempt: Attempt,
  account: Account | undefined,
  proved: Credential | undefined,
  pause: Pause,
): Promise<Session> {
  const { mechanism, name } = attempt;
  const holds = proved && account && store.credentials.holds(account.id, proved);
  if (!holds || store.bans.banned(attempt)) {
    await pause(fail(store, attempt));
    throw new BargeError("unauthenticated", "wrong name or password", { op: "log in" });
  }
  store.metrics.count("loginsOk");
  noted(() => {
    store.bans.succeeded(attempt);
    store.accounts.loggedIn(account.id);
    if (mechanism === "token") store.tokens.touch(name);
  });
  return new Session(store, account, proved).makeHome();
}

/** Writes a failure down. @returns milliseconds until it is to be told */
export function fail(store: Store, attempt: Attempt): number {
  const consequence = noted(() => store.bans.failed(attempt));
  store.metrics.count("loginsFailed");
  store.metrics.count("bans", consequence?.bans.length ?? 0);
  for (const { account, address, until } of consequence?.bans ?? []) {
    log.warn("logins of {account} from {address} are banned until {until}", {
      account: account ?? "anyone",
      address: address ?? "anywhere new",
      until: new Date(until).toISOString(),
    });
  }
  return consequence?.delay ?? longestDelay;
}

/** What can't be noted, on a full disk for instance, must not keep out who comes to make room. */
export function noted<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof BargeError)) throw error;
    log.warn("a login can't be noted: {why}", { why: `${error}` });
    return undefined;
  }
}

/** An account, and what is kept of the secret that it is to be proved with. */
export interface Known {
  readonly account: Account;
  readonly verifier: Verifier;
  /** The credential of a session that proves itself with that secret. */
  readonly credential: Credential;
}

/** @param name an account's, or a token's id */
export function lookUp(store: Store, mechanism: Mechanism, name: string): Known | undefined {
  return mechanism === "password" ? byPassword(store, name) : byToken(store, name);
}

/**
 * An account whose password can be checked. One with other costs than the server's (a former version
 * kept whatever a client had chosen) can't log in by it: that would let a client choose how much
 * memory and time each login takes. The client is answered as for a wrong password, and the log says
 * what helps.
 */
function byPassword(store: Store, name: string): Known | undefined {
  const known = store.accounts.forLogin(name);
  if (!known || ownCosts(known.verifier)) {
    return known && { ...known, credential: { kind: "password", epoch: known.epoch } };
  }
  const { n, r, p } = known.verifier;
  log.warn("the password of {account} is refused: it was set with {costs}; {hint}", {
    account: known.account.name,
    costs: `scrypt costs n=${n} r=${r} p=${p}, or a salt, that this server does not take`,
    hint: `set a new one with \`barge user passwd ${known.account.name}\``,
  });
  return undefined;
}

function byToken(store: Store, id: string): Known | undefined {
  const token = store.tokens.find(id);
  const account = token && store.accounts.byId(token.account);
  return account && { account, verifier: token.verifier, credential: { kind: "token", id } };
}
