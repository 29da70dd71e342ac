/** A login: the doors call every verb with one. */
import {
  type Account,
  type Credential,
  type Login,
  mayLogIn,
  type Standing,
} from "../storage/account.ts";
import { BargeError } from "../error.ts";
import type { Actor } from "../storage/audit/audit.ts";
import { isWithin, locate, type Location } from "../storage/path.ts";
import type { View } from "../storage/view.ts";
import { fullScope, type Scope } from "../storage/scope.ts";
import type { DoorName } from "../watch/metrics.ts";
import { accountRefusal } from "./refusal.ts";
import { isFrom, isRestricted, wayTo } from "./scope.ts";
import { enableTotpHint, mustEnableTotp } from "./required_totp.ts";
import type { Service } from "./service.ts";

/** The limits of a session; by default it has none. */
interface SessionLimits {
  /** The path to which a visitor of a share link is confined, read-only. */
  readonly root?: string;
  /** The scope of the token that the login began with. */
  readonly scope?: Scope;
  /** The client's numeric address, which the account's networks must have. Default: any is right. */
  readonly host?: string;
}

export class Session implements Login {
  readonly store: Service;
  /** The id and the name of the account. */
  readonly id: number;
  readonly name: string;
  /** The door through which the client logged in; the door sets this. */
  door: DoorName | null = null;
  /** The secret that the login rests on. The session ends with it. Replaced when the client proves another. */
  credential: Credential;
  /** The limits of the token that the login began with. */
  readonly scope: Scope;
  /** True if the session is a visitor's, who can only read one path and the entries below it. */
  readonly confined: boolean;
  /** The only path that the session reaches, with the entries below it; undefined for all. */
  readonly #root: string | undefined;
  readonly #host: string | undefined;

  constructor(
    store: Service,
    account: Pick<Account, "id" | "name">,
    credential: Credential,
    { root, scope = fullScope, host }: SessionLimits = {},
  ) {
    this.store = store;
    this.id = account.id;
    this.name = account.name;
    this.credential = credential;
    this.scope = scope;
    this.confined = root !== undefined;
    this.#host = host;
    this.#root = root ?? scope.path ?? undefined;
  }

  /** The actor that the audit trail names for the changes of this session. */
  get actor(): Actor {
    return { account: this.name, address: this.#host ?? null, door: this.door };
  }

  /** True after a login with the password itself: only then may it change the password. */
  get withPassword(): boolean {
    return this.credential.kind === "password";
  }

  /**
   * Refuses what a restricted token may not do: see scope.ts.
   *
   * @throws {BargeError} `denied`
   */
  refuseRestricted(): void {
    if (!isRestricted(this.scope)) return;
    throw new BargeError("denied", "the token of this login is for files only", {
      hint: "log in with the password, or with a token without limits on access and path",
    });
  }

  /**
   * Returns the account as it is now.
   *
   * @throws {BargeError} `unauthenticated` when the login has ended; `denied` for a confined session
   */
  async account(): Promise<Account> {
    this.#refuseConfined();
    const account = await this.store.people.logins.account(this);
    if (account && this.isUsable(account)) return account;
    throw await this.loginEndedError();
  }

  /** Returns the account at the moment of a change. @throws {BargeError} as {@link account} */
  accountIn(view: View): Account {
    this.#refuseConfined();
    const account = view.account(this);
    if (account && this.isUsable(account)) return account;
    this.store.live.lapse(this);
    if (account) throw this.#limitError(account) ?? this.#factorError();
    throw this.#endedError(view.isEnabled(this.id));
  }

  /**
   * Checks that the login is still valid. Verbs that only read need no other check of the login.
   *
   * @throws {BargeError} `unauthenticated` when the login has ended
   */
  async check(): Promise<void> {
    if (!await this.holds()) throw await this.loginEndedError();
  }

  /** Returns whether the login is still valid. */
  async holds(): Promise<boolean> {
    const standing = await this.store.people.logins.standing(this);
    return standing !== undefined && this.isUsable(standing);
  }

  /**
   * Returns the account of a login whose credential is still valid, also an account that must have a second
   * factor and has none; undefined when the login has ended.
   */
  async proven(): Promise<Account | undefined> {
    const account = await this.store.people.logins.account(this);
    return account && this.isHere(account) ? account : undefined;
  }

  /** Returns whether the account may be used from the client's address. */
  isHere({ from }: Pick<Account, "from">): boolean {
    return from === null || this.#host === undefined || isFrom(from, this.#host);
  }

  /** Returns whether the account may do anything in this login but enable a second factor. */
  isUsable(account: Standing): boolean {
    return this.isHere(account) && !this.#mustEnable(account);
  }

  /** Returns the reason why the login has ended; undefined while it is valid. */
  async gone(): Promise<BargeError | undefined> {
    return await this.holds() ? undefined : await this.#gone();
  }

  /**
   * Closes the connections of a login that an operation found to have ended.
   *
   * @returns `unauthenticated`, for the operation to throw
   */
  async loginEndedError(): Promise<BargeError> {
    this.store.live.lapse(this);
    return await this.#gone();
  }

  /** Parses a path. @throws {BargeError} `usage`; `not-found`, also for a path that the session does not reach */
  locate(path: string): Location {
    const location = locate(path, this.name);
    if (this.reaches(location.path)) return location;
    // The path of a share link stays hidden from its visitors.
    const only = this.confined ? null : this.scope.path;
    const hint = only === null ? undefined : `this token reaches only ${only}`;
    throw new BargeError("not-found", "there is no such file or folder", { path, hint });
  }

  /** Returns whether the session reaches a checked path. */
  reaches(path: string): boolean {
    return this.#root === undefined || isWithin(path, this.#root);
  }

  /**
   * Returns the name of the one entry that the session sees in a folder above its token's path; undefined
   * for any other folder.
   *
   * @throws {BargeError} as {@link locate}, for a malformed path
   */
  wayIn(path: string): string | undefined {
    const root = this.scope.path;
    return root === null ? undefined : wayTo(root, locate(path, this.name).path);
  }

  async #gone(): Promise<BargeError> {
    const account = await this.store.people.accounts.byId(this.id);
    const enabled = account !== undefined && mayLogIn(account);
    const limited = account && !account.disabled ? this.#limitError(account) : undefined;
    if (limited) return limited;
    if (enabled && this.#mustEnable(account)) return this.#factorError();
    const { credential } = this;
    if (enabled && credential.kind === "token") {
      const token = await this.store.people.logins.byToken(credential.id);
      if (token?.expired) return this.#error("the token has expired");
    }
    return this.#endedError(enabled);
  }

  #endedError(enabled: boolean): BargeError {
    return this.#error(
      enabled
        ? endings[this.credential.kind]
        : "the account was disabled or removed, or has expired",
    );
  }

  /** Returns the error for an account that has ended or is for other addresses; undefined for any other. */
  #limitError(account: Account): BargeError | undefined {
    const limit = accountRefusal(account, this.#host);
    return limit && this.#error(limit.why, limit.hint);
  }

  #factorError(): BargeError {
    return this.#error("the account must enable a second factor first", enableTotpHint(this));
  }

  #error(why: string, hint = "log in again"): BargeError {
    return new BargeError("unauthenticated", why, { account: this.name, hint });
  }

  /** Returns whether the account must enable a second factor first. Visitors of its share links need none. */
  #mustEnable(account: Standing): boolean {
    return !this.confined && mustEnableTotp(account, this.store.settings);
  }

  #refuseConfined(): void {
    if (this.confined) throw new BargeError("denied", "this login can only read");
  }
}

/** The reasons why a login has ended although its account may still log in. */
const endings: Readonly<Record<Credential["kind"], string>> = {
  password: "the password was changed since the login",
  token: "the token was revoked or has expired",
  key: "the key was removed",
  web: "this login was ended",
  share: "the link was revoked",
};
