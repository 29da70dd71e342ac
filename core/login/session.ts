/** One login: every verb is called with it, by every door. */
import type { Account } from "../storage/account.ts";
import type { Credential } from "../storage/account.ts";
import { BargeError } from "../error.ts";
import type { View } from "../storage/view.ts";
import { isWithin, locate, type Location } from "../storage/path.ts";
import type { DoorName } from "../watch/metrics.ts";
import type { Store } from "../local/store.ts";

export class Session {
  readonly store: Store;
  /** The account's. */
  readonly id: number;
  readonly name: string;
  /** The door that it came through, which says so itself; null until then. */
  door: DoorName | null = null;
  #credential: Credential;
  /** The path that it is confined to; undefined for a login. */
  readonly #root: string | undefined;

  /**
   * @param credential what it logged in with: it ends when that is gone
   * @param root see {@link within}
   */
  constructor(
    store: Store,
    account: Pick<Account, "id" | "name">,
    credential: Credential,
    root?: string,
  ) {
    this.store = store;
    this.id = account.id;
    this.name = account.name;
    this.#credential = credential;
    this.#root = root;
  }

  /** The secret that it logged in with. */
  get credential(): Credential {
    return this.#credential;
  }

  /** Did it log in with the password itself? Only then may it change it. */
  get withPassword(): boolean {
    return this.#credential.kind === "password";
  }

  /** True if it may only read one part of the tree. See {@link within}. */
  get confined(): boolean {
    return this.#root !== undefined;
  }

  /** Makes the account's home if it is missing. Called once a login, since it uses the disk. */
  makeHome(): this {
    this.store.vault.mkdir({ dir: "homes", name: this.name }, true);
    return this;
  }

  /**
   * Returns a session that can only read a path and the entries below it, for visitors of a share
   * link.
   */
  within(path: string): Session {
    return new Session(this.store, this, this.#credential, this.locate(path).path);
  }

  /** Goes on with another credential, which the client has just proved. */
  renew(credential: Credential): void {
    this.#credential = credential;
  }

  /**
   * The account as it is now.
   *
   * @throws {BargeError} `unauthenticated` when it was removed or disabled since the login, or what
   *   that began with is gone; `denied` for a session that is confined, which has no part in the
   *   account
   */
  account(): Account {
    if (this.#root !== undefined) throw new BargeError("denied", "this is for reading alone");
    const account = this.store.credentials.account(this.id, this.#credential);
    if (account) return account;
    throw this.#lapse();
  }

  /** Returns the account in the moment of a change. @throws {BargeError} as {@link account} */
  accountIn(view: View): Account {
    if (this.#root !== undefined) throw new BargeError("denied", "this is for reading alone");
    const account = view.account(this);
    if (account) return account;
    throw this.#lapse();
  }

  /**
   * Checks that the login may go on, which is all that reading needs.
   *
   * @throws {BargeError} `unauthenticated` when the account was removed or disabled since the login,
   *   or what that began with is gone
   */
  check(): void {
    if (!this.holds()) throw this.#lapse();
  }

  /** May the login go on? */
  holds(): boolean {
    return this.store.credentials.holds(this.id, this.#credential);
  }

  /** Returns the reason why the login may not go on; undefined while it may. */
  gone(): BargeError | undefined {
    return this.holds() ? undefined : this.#gone();
  }

  /** Checks a path. @throws {BargeError} `usage`; `not-found`, also where it is confined elsewhere */
  locate(path: string): Location {
    const location = locate(path, this.name);
    if (this.#root === undefined || isWithin(location.path, this.#root)) return location;
    throw new BargeError("not-found", "there is no such file or folder", { path });
  }

  /** Notes that its connections are to be cut. */
  #lapse(): BargeError {
    this.store.live.lapse(this);
    return this.#gone();
  }

  #gone(): BargeError {
    const account = this.store.accounts.byId(this.id);
    const why = !account || account.disabled
      ? "the account was disabled or removed"
      : endings[this.#credential.kind];
    return new BargeError("unauthenticated", why, { account: this.name, hint: "log in again" });
  }
}

/** Why a login has ended whose account may still log in. */
const endings: Readonly<Record<Credential["kind"], string>> = {
  password: "the password was changed since the login",
  token: "the token was revoked",
  key: "the key was removed",
  web: "this login was ended",
  share: "the link was revoked",
};
