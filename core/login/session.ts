/** A login: the doors call every verb with one. */
import type { Account, Credential, Login } from "../storage/account.ts";
import { BargeError } from "../error.ts";
import { isWithin, locate, type Location } from "../storage/path.ts";
import type { View } from "../storage/view.ts";
import type { DoorName } from "../watch/metrics.ts";
import type { Service } from "./service.ts";

export class Session implements Login {
  readonly store: Service;
  /** The id and the name of the account. */
  readonly id: number;
  readonly name: string;
  /** The door through which the client logged in; the door sets this. */
  door: DoorName | null = null;
  /** The secret that the login rests on. The session ends with it. Replaced when the client proves another. */
  credential: Credential;
  /** The only path that the session can read, with the entries below it; undefined for a login. */
  readonly #root: string | undefined;

  /** @param root the path to which a visitor of a share link is confined, read-only */
  constructor(
    store: Service,
    account: Pick<Account, "id" | "name">,
    credential: Credential,
    root?: string,
  ) {
    this.store = store;
    this.id = account.id;
    this.name = account.name;
    this.credential = credential;
    this.#root = root;
  }

  /** True after a login with the password itself: only then may it change the password. */
  get withPassword(): boolean {
    return this.credential.kind === "password";
  }

  /** True if the session can only read one path and the entries below it. */
  get confined(): boolean {
    return this.#root !== undefined;
  }

  /**
   * Returns the account as it is now.
   *
   * @throws {BargeError} `unauthenticated` when the login has ended; `denied` for a confined session
   */
  async account(): Promise<Account> {
    this.#refuseConfined();
    const account = await this.store.people.logins.account(this);
    if (account) return account;
    throw await this.loginEndedError();
  }

  /** Returns the account at the moment of a change. @throws {BargeError} as {@link account} */
  accountIn(view: View): Account {
    this.#refuseConfined();
    const account = view.account(this);
    if (account) return account;
    this.store.live.lapse(this);
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
  holds(): Promise<boolean> {
    return this.store.people.logins.holds(this);
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

  /** Parses a path. @throws {BargeError} `usage`; `not-found`, also outside of a confined session's path */
  locate(path: string): Location {
    const location = locate(path, this.name);
    if (this.#root === undefined || isWithin(location.path, this.#root)) return location;
    throw new BargeError("not-found", "there is no such file or folder", { path });
  }

  async #gone(): Promise<BargeError> {
    const account = await this.store.people.accounts.byId(this.id);
    return this.#endedError(account !== undefined && !account.disabled);
  }

  #endedError(enabled: boolean): BargeError {
    const why = enabled ? endings[this.credential.kind] : "the account was disabled or removed";
    return new BargeError("unauthenticated", why, { account: this.name, hint: "log in again" });
  }

  #refuseConfined(): void {
    if (this.confined) throw new BargeError("denied", "this login can only read");
  }
}

/** The reasons why a login has ended although its account may still log in. */
const endings: Readonly<Record<Credential["kind"], string>> = {
  password: "the password was changed since the login",
  token: "the token was revoked",
  key: "the key was removed",
  web: "this login was ended",
  share: "the link was revoked",
};
