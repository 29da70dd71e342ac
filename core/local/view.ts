/** The state of the database and the disk under the write lock: see core/storage/view.ts. */
import type { Account, Login } from "../storage/account.ts";
import type { StoredEntry } from "../storage/entry.ts";
import type { Place } from "../storage/place.ts";
import type { View } from "../storage/view.ts";
import { storedEntry } from "./entry.ts";
import { lookOnce } from "./look.ts";
import type { Parts } from "./parts.ts";

/** Valid until the write lock is given back. Accounts are looked up once, for all checks of a batch. */
export class LocalView implements View {
  readonly #parts: Parts;
  readonly #accounts = new Map<Login, Account | undefined>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  account(login: Login): Account | undefined {
    if (this.#accounts.has(login)) return this.#accounts.get(login);
    const account = this.#parts.credentials.account(login.id, login.credential);
    this.#accounts.set(login, account);
    return account;
  }

  isEnabled(account: number): boolean {
    return this.#parts.accounts.byId(account)?.disabled === false;
  }

  entry(place: Place): StoredEntry | undefined {
    const { found, row } = lookOnce(this.#parts, place);
    return found && storedEntry(found, row);
  }
}
