/**
 * Logins by challenge and response (protocol/scram.ts), and the end of every login.
 *
 * An unknown name gets a salt that is always the same for that name. The login then fails as with a wrong
 * password, after the same work. The login of a disabled account fails in the same way, even with the right
 * password.
 */
import { getLogger } from "@logtape/logtape";
import { type Account, type Credential, mayLogIn } from "../storage/account.ts";
import {
  type Attempt,
  maxLoginDelayMs,
  type Provable,
  type ProvableToken,
} from "../storage/logins.ts";
import { BargeError } from "../error.ts";
import type { Answer, Request } from "../protocol/message.ts";
import {
  costs,
  type Exchange,
  hasOwnCosts,
  type Mechanism,
  nonce,
  tokenCosts,
} from "../protocol/scram.ts";
import { verify } from "../protocol/verifier.ts";
import { fullScope, type Scope } from "../storage/scope.ts";
import type { DoorName } from "../watch/metrics.ts";
import { recordFailure, recordLogin } from "./login_record.ts";
import { accountRefusal, LoginLimited } from "./refusal.ts";
import { type RefusalReason, scopeRefusal } from "./scope.ts";
import { FactorNeeded, secondFactorRefusal, type SecondStep, wrongLogin } from "./second_factor.ts";
import { Session } from "./session.ts";
import type { Service } from "./service.ts";

const log = getLogger(["barge", "login"]);

/** Waits for a number of ms; throws when the client has left. */
export type Pause = (ms: number) => Promise<void>;

/** A login that waits for its proof. */
export interface Challenge {
  readonly answer: Answer<"auth">;
  /**
   * @param binding the binding to the certificate that the client received, if it sends one
   * @param second what the client sends beside its proof
   * @throws {BargeError} `unauthenticated`, one answer for every reason; `unsupported` without a
   *   required binding, `identity` with another one; as `pause`
   */
  prove(
    proof: string,
    pause: Pause,
    binding?: string,
    second?: SecondStep,
  ): Promise<{ session: Session; answer: Answer<"proof"> }>;
  /** Records that no proof came, as a failed login of the address. @returns as {@link fail} */
  abandon(): Promise<number>;
}

/**
 * Begins a login.
 *
 * @param host the client's numeric address, without the port
 * @param tlsBindings the bindings of which the proof must have one; empty: the proof must have none
 */
export async function challenge(
  store: Service,
  request: Request<"auth">,
  host: string,
  tlsBindings: readonly string[] = [],
): Promise<Challenge> {
  const { mechanism, account: name } = request;
  const provable = await lookUp(store, mechanism, name);
  const decoy = await store.people.logins.decoy(name); // for every name, so that all take equally long
  const verifier = provable?.verifier ?? decoy;
  const cost = mechanism === "token" ? tokenCosts : costs; // never the account's own
  const owner = request.owner === undefined
    ? undefined
    : await store.people.accounts.find(request.owner);
  const { salt } = verifier;
  const serverNonce = nonce();
  const nonces = { clientNonce: request.nonce, serverNonce };
  const exchange: Exchange = { mechanism, account: name, ...nonces, salt, ...cost };
  const abandon = () =>
    fail(store, { account: provable?.account, name, mechanism: "question", host, door: "native" });
  return {
    abandon,
    answer: { nonce: serverNonce, salt, ...cost },
    async prove(proof, pause, binding, second) {
      const wrong = misbound(binding, tlsBindings);
      if (wrong) {
        await pause(await abandon());
        throw wrong;
      }
      const signature = verify(proof, verifier, { ...exchange, binding });
      const account = await store.people.accounts.byId(provable?.account.id ?? 0);
      const attempt: Attempt = { account, owner, name, mechanism, host, door: "native" };
      const proved = signature !== undefined && provable
        ? { ...provable, door: "native" } as const
        : undefined;
      const session = await admit(store, attempt, account, proved, pause, second);
      const answer = { account: account!.name, role: account!.role, signature: signature! };
      return { session, answer };
    },
  };
}

/**
 * Returns the error for a login that is bound to another connection than this one. The proof covers the
 * binding, so that no relay can change it. The server requires a binding wherever there can be one, so
 * that no relay can leave it out.
 */
function misbound(
  binding: string | undefined,
  tlsBindings: readonly string[],
): BargeError | undefined {
  if (tlsBindings.length === 0 ? binding === undefined : tlsBindings.includes(binding ?? "")) {
    return;
  }
  const op = "log in";
  if (binding === undefined) {
    const why = "the login is not bound to the server's certificate";
    return new BargeError("unsupported", why, { op, hint: "the client is too old: update it" });
  }
  const why = "the client was shown another certificate than this server's";
  const hint =
    "somebody relays the connection. If that is a proxy of the operator's, let it pass TLS " +
    "through, or name its certificate with `barge serve --proxy-cert`";
  return new BargeError("identity", why, { op, hint });
}

/** A credential that a client has proved. */
export interface Proved {
  readonly credential: Credential;
  readonly door: DoorName;
  /** The scope of a token; a token that has expired is refused. */
  readonly scope?: Scope;
  readonly expired?: boolean;
}

/**
 * Ends a login of any kind.
 *
 * @param proved undefined for a client that has proved nothing
 * @param second what the client sends or can be asked for beside a password
 * @throws {BargeError} `unauthenticated`, one answer for every reason; {@link LoginLimited} with the reason
 *   for a right secret where the account has ended or is for other addresses, which counts as a failure, and
 *   for a right token whose scope refuses the login, which is no failure, since nobody guesses a token; as
 *   {@link secondFactorRefusal}; as `pause`
 */
export async function admit(
  store: Service,
  attempt: Attempt,
  account: Account | undefined,
  proved: Proved | undefined,
  pause: Pause,
  second: SecondStep = {},
): Promise<Session> {
  const { accounts, logins } = store.people;
  const { credential, scope = fullScope, expired = false, door } = proved ?? {};
  const { host } = attempt;
  const session = credential && account && new Session(store, account, credential, { scope, host });
  if (session) session.door = door!;
  const banned = await logins.isBanned(attempt);
  if (session && !banned && mayLogIn(account) && session.isHere(account)) {
    const refusal = scopeRefusal(scope, expired, { door: door!, host });
    if (refusal) {
      logRefusal(account, host, refusal.why);
      await attemptRecord(() => recordFailure(store, attempt, refusal.why));
      throw new LoginLimited("token", refusal);
    }
  }
  const limit = session && !banned ? limitOf(account, host) : undefined;
  const current = banned ? undefined : await session?.proven();
  if (!session || !current) {
    await pause(await fail(store, attempt, limit?.why));
    // A client that sends a code with the password does not learn which of the two was wrong.
    const isReported = limit && !account!.disabled && !(account!.totp && second.code !== undefined);
    throw isReported ? new LoginLimited("account", limit) : wrongLogin(second);
  }
  const refusal = await secondFactorRefusal(store, current, session.credential, second, {
    isBanned: () => logins.isBanned(attempt),
    fail: (why) => fail(store, attempt, why),
  });
  if (refusal) {
    const { why } = refusal;
    if (why instanceof FactorNeeded && why.step === "enable") {
      await attemptRecord(() => recordFailure(store, attempt, why.message));
    }
    await pause(refusal.delayMs);
    throw why;
  }
  store.metrics.count("loginsOk");
  await attemptRecord(() => logins.succeeded(attempt, session.credential));
  await attemptRecord(() => recordLogin(store, attempt, session));
  await accounts.makeHome(account!.name);
  return session;
}

/** Returns the limit of the account that refuses a client with a right secret, and logs it. */
function limitOf(account: Account, host: string): RefusalReason | undefined {
  const { name, disabled } = account;
  const limit = disabled
    ? { why: "the account is disabled", hint: `\`barge user enable ${name}\` enables it` }
    : accountRefusal(account, host);
  if (limit) logRefusal(account, host, `${limit.why}; ${limit.hint}`);
  return limit;
}

function logRefusal({ name: account }: Account, address: string, why: string): void {
  log.info("a login of {account} from {address} is refused: {why}", { account, address, why });
}

/**
 * Records a failure.
 *
 * @param why the reason, where the client has proved its secret
 * @returns the delay of its answer, in ms
 */
export async function fail(store: Service, attempt: Attempt, why?: string): Promise<number> {
  const { people, metrics } = store;
  const consequence = await attemptRecord(() => people.logins.failed(attempt));
  await attemptRecord(() => recordFailure(store, attempt, why));
  metrics.count("loginsFailed");
  metrics.count("bans", consequence?.bans.length ?? 0);
  for (const { account, address, until } of consequence?.bans ?? []) {
    log.warn("logins of {account} from {address} are banned until {until}", {
      account: account ?? "anyone",
      address: address ?? "anywhere new",
      until: new Date(until).toISOString(),
    });
  }
  return consequence?.delay ?? maxLoginDelayMs;
}

/** Records a login; only logs a failure, since a full disk must not block a user who wants to free space. */
async function attemptRecord<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BargeError)) throw error;
    log.warn("a login can't be recorded: {why}", { why: `${error}` });
    return undefined;
  }
}

/**
 * Returns the account that a login names, with the verifier of its secret; undefined for none, or one
 * that can't be used.
 *
 * @param name the name of an account, or the id of a token
 */
export async function lookUp(
  { people: { logins } }: Service,
  mechanism: Mechanism,
  name: string,
): Promise<Provable | ProvableToken | undefined> {
  if (mechanism === "token") return await logins.byToken(name);
  const provable = await logins.byPassword(name);
  if (!provable || hasOwnCosts(provable.verifier)) return provable;
  // A former version accepted any costs, which would let a client choose the memory and time of logins.
  const { account, verifier: { n, r, p } } = provable;
  log.warn("the password of {account} is refused: it was set with {costs}; {hint}", {
    account: account.name,
    costs: `scrypt costs n=${n} r=${r} p=${p}, or a salt, that this server does not take`,
    hint: `set a new one with \`barge user passwd ${account.name}\``,
  });
}
