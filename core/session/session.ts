/** One login: every verb is called with it, by every door. */
import type { Account } from "../account/accounts.ts";
import { BargeError } from "../error.ts";
import { isWithin, locate, type Location } from "../vault/path.ts";
import type { DoorName } from "./metrics.ts";
import type { Store } from "./store.ts";

export class Session {
  readonly store: Store;
  /** Did it log in with the password itself? Only then may it change it. */
  readonly withPassword: boolean;
  /** The account's. */
  readonly id: number;
  readonly name: string;
  /** The door that it came through, which says so itself; null until then. */
  door: DoorName | null = null;
  /** The path that it is confined to; undefined for a login. */
  readonly #root: string | undefined;

  /** @param root see {@link within} */
  constructor(
    store: Store,
    account: Pick<Account, "id" | "name">,
    withPassword: boolean,
    root?: string,
  ) {
    this.store = store;
    this.withPassword = withPassword;
    this.id = account.id;
    this.name = account.name;
    this.#root = root;
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
    return new Session(this.store, this, false, this.locate(path).path);
  }

  /**
   * The account as it is now.
   *
   * @throws {BargeError} `unauthenticated` when it was removed or disabled since the login; `denied`
   *   for a session that is confined, which has no part in the account
   */
  account(): Account {
    if (this.#root !== undefined) throw new BargeError("denied", "this is for reading alone");
    const account = this.store.accounts.byId(this.id);
    if (account && !account.disabled) return account;
    throw this.#gone();
  }

  /**
   * Checks that the account is still enabled, which is all that reading needs.
   *
   * @throws {BargeError} `unauthenticated` when it was removed or disabled since the login
   */
  check(): void {
    if (!this.store.accounts.enabled(this.id)) throw this.#gone();
  }

  /** Checks a path. @throws {BargeError} `usage`; `not-found`, also where it is confined elsewhere */
  locate(path: string): Location {
    const location = locate(path, this.name);
    if (this.#root === undefined || isWithin(location.path, this.#root)) return location;
    throw new BargeError("not-found", "there is no such file or folder", { path });
  }

  #gone(): BargeError {
    return new BargeError("unauthenticated", "the account was disabled or removed", {
      account: this.name,
    });
  }
}
