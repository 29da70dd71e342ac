/** One login: every verb is called with it, by every door. */
import type { Account } from "../account/accounts.ts";
import { BargeError } from "../error.ts";
import { locate, type Location } from "../vault/path.ts";
import type { Store } from "./store.ts";

export class Session {
  readonly store: Store;
  /** Did it log in with the password itself? Only then may it change it. */
  readonly withPassword: boolean;
  /** The account's. */
  readonly id: number;
  readonly name: string;
  /** The door that it came through, which says so itself; null until then. */
  door: string | null = null;

  constructor(store: Store, account: Account, withPassword: boolean) {
    this.store = store;
    this.withPassword = withPassword;
    this.id = account.id;
    this.name = account.name;
    store.vault.mkdir({ dir: "homes", name: account.name }, true);
  }

  /**
   * The account as it is now.
   *
   * @throws {BargeError} `unauthenticated` when it was removed or disabled since the login
   */
  account(): Account {
    const account = this.store.accounts.byId(this.id);
    if (account && !account.disabled) return account;
    throw this.#gone();
  }

  /** May the account still do things? For who does not need to know more. @throws as {@link account} */
  check(): void {
    if (!this.store.accounts.enabled(this.id)) throw this.#gone();
  }

  /** Checks a path. @throws {BargeError} `usage`, `not-found` */
  locate(path: string): Location {
    return locate(path, this.name);
  }

  #gone(): BargeError {
    return new BargeError("unauthenticated", "the account was disabled or removed", {
      account: this.name,
    });
  }
}
