/**
 * The second factor at a login: a code of an authenticator app (TOTP, RFC 6238), or a recovery code.
 *
 *   off -> on    totp.ts: by a proof of the password, and a code of the new secret
 *   on  -> off   by a proof of the password and a code; by an admin
 *
 * Nothing is stored before the code of the new secret is right, so that a crash in between leaves the account
 * without a second factor.
 *
 * Invariants:
 *   - At every door, the password of an account with a second factor needs a code. Where a protocol can't ask
 *     for one, the password is refused, and a token or a key serves.
 *   - A code is right once: storage uses it up in the step that checks it (core/storage/second_factor.ts).
 *   - A wrong code, and a right password without a code, count as a wrong password for bans and delays. Within a
 *     worker the codes of an account are checked one after the other, and each check sees the failures before
 *     it, so that clients which wait at the prompt have no more guesses than others.
 *   - An account that must have a second factor, and has none, can log in only to enable one.
 *
 * A client that gets no further than the request for a code learns that its password is right. A client that sends
 * its code together with the password does not learn which of the two was wrong.
 */
import { BargeError } from "../error.ts";
import type { Account, Credential } from "../storage/account.ts";
import { RightSecretRefused } from "./refusal.ts";
import { enableTotpHint, mustEnableTotp } from "./required_totp.ts";
import type { Service } from "./service.ts";
import type { Session } from "./session.ts";

/** The second step of a login: a code that the client sends beside its password, or can be asked for. */
export interface SecondStep {
  /** The code that came together with the password. */
  readonly code?: string;
  /** Asks the client for a code, once its password is right. @returns undefined when it gives none */
  readonly askCode?: () => Promise<string | undefined>;
  /** True for a client that proves its password to enable a second factor. */
  readonly enables?: boolean;
  /** The login of a client that proves its password once more: its code was right at the login. */
  readonly again?: Session;
}

/** A right password that is not enough. The client can go on with {@link step}. */
export class FactorNeeded extends RightSecretRefused {
  /** The missing step: to send a code, or to enable a second factor first. */
  readonly step: "code" | "enable";
  readonly factorOf: Account;
  readonly credential: Credential;

  constructor(step: FactorNeeded["step"], account: Account, credential: Credential) {
    const { kind, why, hint } = needs[step];
    super(kind, why, { op: "log in", hint: hint ?? enableTotpHint(account) });
    this.step = step;
    this.factorOf = account;
    this.credential = credential;
  }
}

const needs = {
  code: {
    kind: "code-needed",
    why: "the account needs a code of its second factor",
    hint: "log in with a token or an SSH key where no code can be given",
  },
  enable: {
    kind: "denied",
    why: "the account must enable a second factor first",
    hint: undefined,
  },
} as const;

const clocks = "compare the clock of its device with the server's";

/** Returns the error of a login that fails, the same for every reason. */
export function wrongLogin({ code }: SecondStep): BargeError {
  const op = "log in";
  if (code === undefined) {
    return new BargeError("unauthenticated", "wrong name or password", { op });
  }
  const hint = `a code logs in once, while the app shows it: wait for the next one, and ${clocks}`;
  return new BargeError("unauthenticated", "wrong name, password or code", { op, hint });
}

/**
 * Checks the second factor of a client that has proved its first.
 *
 * @param account as it is now
 * @param attempt.isBanned returns whether the login is banned by now
 * @param attempt.fail records a failure with its reason, and returns the delay of its answer, in ms
 * @returns why the login is refused, and the delay of the answer; undefined: it is not
 */
export async function secondFactorRefusal(
  { people: { factors }, settings }: Service,
  account: Account,
  credential: Credential,
  second: SecondStep,
  attempt: {
    readonly isBanned: () => Promise<boolean>;
    readonly fail: (why: string) => Promise<number>;
  },
): Promise<{ readonly why: BargeError; readonly delayMs: number } | undefined> {
  const { enables, again, askCode } = second;
  const refuse = async (why: BargeError, reason = why.message) => ({
    why,
    delayMs: await attempt.fail(reason),
  });
  if (credential.kind !== "password" || !account.totp) {
    if (enables || !mustEnableTotp(account, settings)) return undefined;
    return { why: new FactorNeeded("enable", account, credential), delayMs: 0 };
  }
  if (again?.id === account.id && again.withPassword) return undefined;
  if (enables) return await refuse(hasFactor());
  const code = second.code ?? await askCode?.();
  if (code === undefined) return await refuse(new FactorNeeded("code", account, credential));
  return await inTurn(account.id, async () => {
    if (!await attempt.isBanned() && await factors.use(account.id, code)) return undefined;
    const wrong = new RightSecretRefused(
      "unauthenticated",
      "the code is wrong, or was used before",
      {
        op: "log in",
        hint: `wait for the next code of the app, and ${clocks}`,
      },
    );
    return await refuse(askCode ? wrong : wrongLogin(second), wrong.message);
  });
}

/** Returns whether a failed login was refused for its secrets: the client may try others. */
export function isLoginRefusal({ kind }: BargeError): boolean {
  return kind === "unauthenticated" || kind === "code-needed" || kind === "denied";
}

/** Returns the error of enabling a second factor for an account that has one. */
export function hasFactor(): BargeError {
  return new BargeError("exists", "the account has a second factor already", {
    hint: "disable it first",
  });
}

/** The last check of a code of each account with checks under way. */
const turns = new Map<number, Promise<unknown>>();

/** Runs the checks of codes of one account one after the other. */
async function inTurn<T>(account: number, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(account) ?? Promise.resolve()).then(work, work);
  turns.set(account, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(account) === turn) turns.delete(account);
  }
}
