/** The state of the database and the disk under the write lock: see core/storage/view.ts. */
import type { Account, Login } from "../storage/account.ts";
import type { StoredEntry } from "../storage/entry.ts";
import type { Place } from "../storage/place.ts";
import type { View } from "../storage/view.ts";
import { storedEntry } from "./entry.ts";
import type { Lock } from "../storage/lock.ts";
import { lookOnce, type Seen } from "./look.ts";
import type { Parts } from "./parts.ts";

/** Valid until the write lock is given back. Accounts are looked up once, for all checks of a batch. */
export class LocalView implements View {
  readonly #parts: Parts;
  readonly #look: (parts: Parts, place: Place) => Seen;
  readonly #accounts = new Map<Login, Account | undefined>();

  /** @param look `look` for a view without the write lock */
  constructor(parts: Parts, look = lookOnce) {
    this.#parts = parts;
    this.#look = look;
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
    const { found, row } = this.#look(this.#parts, place);
    return found && storedEntry(found, row);
  }

  needFolder({ dir }: Place): void {
    this.#parts.vault.needFolder(dir);
  }

  isEmpty(place: Place): boolean {
    return this.#parts.vault.isEmpty(place);
  }

  foreignFile(
    place: Place,
    account: number,
  ): { name: string; ownerName: string | null } | undefined {
    return this.#parts.ledger.foreign(place, account);
  }

  hasForeignFolder(place: Place, account: number): boolean {
    return this.#parts.folders.foreign(place, account);
  }

  locksOver(place: Place): readonly Lock[] {
    return this.#parts.locks.over(place);
  }

  locksOn(place: Place): readonly Lock[] {
    return this.#parts.locks.on(place);
  }

  locksBelow(place: Place): readonly Lock[] {
    return this.#parts.locks.below(place);
  }
}
