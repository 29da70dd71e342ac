/** The part of storage for logins: secrets, failed logins, bans. */
import { dayMs } from "../duration.ts";
import type { Verifier } from "../protocol/message.ts";
import type { Account, Credential, Login, Standing } from "./account.ts";
import type { Actor } from "./audit/audit.ts";
import type { AuthorizedKey, PublicKey } from "./public_key.ts";
import type { Scope } from "./scope.ts";

/** An attempt to log in. */
export interface Attempt {
  /** The account, if there is one of that name. */
  readonly account: { readonly id: number; readonly name: string } | undefined;
  /** The name that the client gave; the id of a token. */
  readonly name: string;
  /** `question`: the client requested facts of the name, and did not log in. */
  readonly mechanism: "password" | "token" | "key" | "question";
  /** The client's numeric address, without the port. */
  readonly host: string;
  /** The door, for the audit trail. */
  readonly door?: string | null;
  /** The account that the client takes for the owner of an unknown token, for the audit trail and events. */
  readonly owner?: { readonly name: string };
}

/**
 * Returns the account of a failed login, as the audit trail and events name it.
 *
 * @param mark the mark of the name that the client gave, for an unknown account
 */
export function failedAccount({ account, owner }: Attempt, mark: string): string {
  return (account ?? owner)?.name ?? mark;
}

/** A ban in force. */
export interface Ban {
  /** The account's name; `?` and a digest for a name that no account has. Null: every account. */
  readonly account: string | null;
  /** The banned address or network. Null: every address that is not familiar to the account. */
  readonly address: string | null;
  /** Milliseconds since 1970, as all times here. */
  readonly since: number;
  readonly until: number;
  /** The number of bans in a row; a day without one resets the count. */
  readonly times: number;
}

/** The consequence of a failed login. */
export interface Consequence {
  /** The delay of the answer, in ms. */
  readonly delay: number;
  /** The bans that begin with this failure. */
  readonly bans: readonly Ban[];
}

/** The longest delay of the answer to a failed login, and the delay of every banned one, in ms. */
export const maxLoginDelayMs = 5_000;

/** The failures in an hour after which a ban follows, unless the operator sets another number. */
export const defaultBanAfter = 9;

/** An account, and the verifier of the secret that a login must prove. */
export interface Provable {
  readonly account: Account;
  readonly verifier: Verifier;
  /** The credential of a session that has proved the secret. */
  readonly credential: Credential;
}

/** An account, and the verifier and scope of one of its tokens. */
export interface ProvableToken extends Provable {
  readonly scope: Scope;
  /** Whether the token has expired, by the clock of storage. */
  readonly expired: boolean;
}

/** A token of an account, without its secret. */
export interface Token extends Scope {
  readonly id: string;
  readonly label: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** The time of the last login with it, to the minute, and the address of that login; null for never. */
  readonly used: number | null;
  readonly usedFrom: string | null;
  /** Whether it has expired, by the clock of storage. */
  readonly expired: boolean;
}

/** A login at the web page. */
export interface WebSession {
  /** Identifies the login to its owner. It is no secret. */
  readonly id: string;
  /** The User-Agent of the browser. */
  readonly agent: string;
  /** The address that logged in. */
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** The time of the last use, to the minute. */
  readonly seen: number;
}

/** The time for which an expired token is still listed, in ms. */
export const listedTokenMs = 30 * dayMs;

/** The time after which an unused web session ends, and the longest that one lasts, in ms. */
export const webSessionIdleMs = 7 * dayMs;
export const webSessionMaxMs = 30 * dayMs;

/** A web session that was found by its secret. */
export interface FoundWebSession {
  readonly account: Account;
  readonly id: string;
  readonly credential: Credential;
  /** The scope of the token that it began with; that without limits after a login with the password. */
  readonly scope: Scope;
}

/** Each change takes the actor that the audit trail names. Default: the operator. */
export interface LoginStore {
  /** Returns the account of a login; undefined when the login has ended. */
  account(login: Login): Promise<Account | undefined>;
  /** Returns the standing of a login, which is faster than its account; undefined when it has ended. */
  standing(login: Login): Promise<Standing | undefined>;
  /** Returns a text that changes whenever a credential or an account has ended, also by its time. */
  revocations(): Promise<string>;

  /**
   * Returns the account of a name with the verifier of its password. It takes the same time for a name
   * that no account has.
   */
  byPassword(name: string): Promise<Provable | undefined>;
  /** Returns the account and the verifier of a token, also of an expired one. */
  byToken(id: string): Promise<ProvableToken | undefined>;
  /** Returns the account of a name, if it has the public key with that fingerprint. */
  byKey(name: string, fingerprint: string): Promise<Account | undefined>;
  byWebSession(secret: string): Promise<FoundWebSession | undefined>;
  /** Returns a verifier that no secret matches, always the same for a name. */
  decoy(name: string): Promise<Verifier>;

  isBanned(attempt: Attempt): Promise<boolean>;
  /** Records a failed or banned login. @throws {BargeError} `unavailable` when the database is locked */
  failed(attempt: Attempt): Promise<Consequence>;
  /** Records a login, and the use of its token or key. @throws {BargeError} as {@link failed} */
  succeeded(attempt: Attempt, credential: Credential): Promise<void>;
  /** Returns the text that stands for a name that no account has, in logs and lists. */
  markOf(name: string): Promise<string>;

  /** Returns the bans in force, the oldest first. */
  bans(): Promise<readonly Ban[]>;
  /** Ends the bans of an account or address. @returns the bans that were in force */
  liftBans(subject: string, by?: Actor): Promise<readonly Ban[]>;

  /** Returns an account's tokens, the oldest first. */
  tokens(account: number): Promise<readonly Token[]>;
  /**
   * Issues a token. If the login began with a token, the new token ends with that one. Drops tokens of the
   * account that expired long ago, and all expired ones where there is no place for the new one.
   *
   * @returns its id, and the text that storage does not keep; undefined when the login has ended
   * @throws {BargeError} `refused` when the account has too many
   */
  issueToken(
    login: Login,
    label: string,
    scope?: Scope,
    by?: Actor,
  ): Promise<{ readonly id: string; readonly token: string } | undefined>;
  /** Ends a token, and the logins and tokens that began with it. @returns whether the account had it */
  revokeToken(account: number, id: string, by?: Actor): Promise<boolean>;
  /**
   * Ends all tokens of an account, and the logins that began with them.
   *
   * @returns their ids, the oldest first
   */
  revokeTokens(account: number, by?: Actor): Promise<readonly string[]>;

  /** Returns an account's public keys, the oldest first. */
  keys(account: number): Promise<readonly PublicKey[]>;
  /**
   * Adds public keys to an account, all or none.
   *
   * @returns for each key, in their order, whether the account did not have it
   * @throws {BargeError} `not-found` when the account is gone; `refused` when it has too many
   */
  addKeys(
    account: number,
    keys: readonly AuthorizedKey[],
    by?: Actor,
  ): Promise<readonly boolean[]>;
  /**
   * Removes public keys of an account, and ends the logins with them.
   *
   * @returns the fingerprints of those that it had, in their order
   */
  removeKeys(
    account: number,
    fingerprints: readonly string[],
    by?: Actor,
  ): Promise<readonly string[]>;

  /** Returns an account's web sessions, the newest first. */
  webSessions(account: number): Promise<readonly WebSession[]>;
  /** Begins a web session. @returns its secret; undefined when the login has ended */
  beginWebSession(
    login: Login,
    client: Pick<WebSession, "agent" | "address">,
  ): Promise<string | undefined>;
  /** Ends a web session. @returns whether the account had it */
  endWebSession(account: number, id: string, by?: Actor): Promise<boolean>;

  /**
   * Changes the password of a login's account. It ends all logins that began with the old one, all
   * tokens and all web sessions.
   *
   * @returns the credential of the new password; undefined when the login has ended
   */
  changePassword(
    login: Login,
    verifier: Verifier,
    by?: Actor,
  ): Promise<Credential | undefined>;
}
