// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
/** Accounts on one machine: see core/storage/accounts.ts. */
import type { Account, Login } from "../storage/account.ts";
import type {
  AccountChange,
  AccountStore,
  NewAccount,
  RegisterLimits,
  RemovedAccount,
  Totals,
} from "../storage/accounts.ts";
import type { Parts } from "./parts.ts";
import { removeAccount } from "./remove_account.ts";

export class LocalAccounts implements AccountStore {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async list(): Promise<readonly Account[]> {
    return this.#parts.accounts.list();
  }

  async find(name: string): Promise<Account | undefined> {
    return this.#parts.accounts.find(name);
  }

  async byId(id: number): Promise<Account | undefined> {
    return this.#parts.accounts.byId(id);
  }

  async get(name: string): Promise<Account> {
    return this.#parts.accounts.get(name);
  }

  async add(account: NewAccount): Promise<Account> {
    return this.#parts.accounts.add(account);
  }

  async change(name: string, change: AccountChange): Promise<Account> {
    return this.#parts.accounts.change(name, change);
  }

  async register(account: NewAccount, host: string, limits: RegisterLimits): Promise<Account> {
    const { accounts, db, registrations } = this.#parts;
    const attempt = registrations.begin(host, limits);
    return db.transaction(() => {
      const made = accounts.add(account);
      registrations.made(attempt, made.id, account.limit, limits);
      return made;
    });
  }

  async grow(
    { id, credential }: Login,
    limit: number,
    check: (account: Account) => void,
    maxTotal: number | null,
  ): Promise<Account | undefined> {
    const { accounts, credentials, db, registrations } = this.#parts;
    return db.transaction(() => {
      const account = credentials.account(id, credential);
      if (!account) return undefined;
      check(account);
      registrations.grown(account.id, limit, maxTotal);
      return accounts.change(account.name, { limit });
    });
  }

  async remove(name: string, options: { readonly purge: boolean }): Promise<RemovedAccount> {
    return await removeAccount(this.#parts, name, options);
  }

  async makeHome(name: string): Promise<void> {
    this.#parts.vault.mkdir({ dir: "homes", name }, true);
  }

  async owned(id: number): Promise<{ files: number; bytes: number }> {
    return this.#parts.ledger.owned(id);
  }

  async totals(): Promise<Totals> {
    const { accounts, bans, reservations } = this.#parts;
    return { accounts: accounts.totals(), uploads: reservations.totals(), banned: bans.count() };
  }
}
