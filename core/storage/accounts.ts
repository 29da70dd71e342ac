/** The part of storage that manages accounts. */
import type { Verifier } from "../protocol/message.ts";
import type { Account, Login, Role } from "./account.ts";
import type { Actor } from "./audit/audit.ts";

/** The quota of a user whose quota is not given, in bytes. */
export const defaultQuotaBytes = 1_000_000;

/** Returns the default quota of an account that the operator makes, in bytes; null for no limit. */
export function defaultQuota(role: Role): number | null {
  return role === "admin" ? null : defaultQuotaBytes;
}

/** An account to add. */
export interface NewAccount {
  readonly name: string;
  readonly role: Role;
  /** Bytes; null for no limit. */
  readonly limit: number | null;
  /** Entries; null for no limit. Default: by the quota. */
  readonly entryLimit?: number | null;
  readonly verifier: Verifier;
  /** Whether the account may not log in. Default: false. */
  readonly disabled?: boolean;
  /** When it ends, in ms since 1970. Default: null, for never. */
  readonly expires?: number | null;
  /** The networks that it may log in from. Default: null, for all. */
  readonly from?: readonly string[] | null;
  /** Whether the account gets existing files in homes/NAME, as the operator decided. */
  readonly adopt?: boolean;
}

/** The fields of an account to change. An entry limit that was once set does not follow the quota. */
export type AccountChange = Partial<
  & Pick<NewAccount, "role" | "limit" | "entryLimit" | "verifier" | "expires" | "from">
  & Pick<Account, "disabled">
  & {
    /** Removes the second factor. Only the account itself can have one enabled: see factors.ts. */
    readonly totp: false;
  }
>;

/** Accounts to add, change and remove together. The removed homes are kept. */
export interface AccountChanges {
  readonly added: readonly NewAccount[];
  readonly changed: readonly { readonly name: string; readonly change: AccountChange }[];
  /** The names of the removed accounts. */
  readonly removed: readonly string[];
}

/** The limits on registration; null for none. */
export interface RegisterLimits {
  /** Attempts an hour from one address. */
  readonly perAddress: number | null;
  /** Accounts an hour, from all addresses. */
  readonly perHour: number | null;
  /** Bytes that registered accounts may take together. */
  readonly total: number | null;
}

export const defaultRegisterLimits: RegisterLimits = {
  perAddress: 5,
  perHour: 100,
  total: 10 * 2 ** 30,
};

export interface RemovedAccount {
  /** The path at the server where the home is kept; null when it was empty, or purged. */
  readonly kept: string | null;
  /** The number of files that the account was charged for, and their bytes. */
  readonly files: number;
  readonly bytes: number;
}

/** The sums over all accounts, and over all uploads. */
export interface Totals {
  readonly accounts: { readonly count: number; readonly used: number; readonly reserved: number };
  readonly uploads: {
    readonly unfinished: number;
    readonly moving: number;
    readonly staged: number;
  };
  /** The number of bans in force. */
  readonly banned: number;
  /** The number of accounts whose used and reserved bytes fill `nearQuotaShare` of their quota. */
  readonly nearQuota: number;
}

/** Each change takes the actor that the audit trail names. Default: the operator. */
export interface AccountStore {
  /** Returns all accounts, by name. */
  list(): Promise<readonly Account[]>;
  find(name: string): Promise<Account | undefined>;
  byId(id: number): Promise<Account | undefined>;
  /** Returns an account by its name. @throws {BargeError} `not-found` */
  get(name: string): Promise<Account>;
  /**
   * Makes an account.
   *
   * @throws {BargeError} `exists` when the name is taken, in whatever case, or its home holds files and
   *   `adopt` is not set; `usage` for a bad name
   */
  add(account: NewAccount, by?: Actor): Promise<Account>;
  /**
   * Changes an account. A new password ends its logins, tokens and web sessions.
   *
   * @throws {BargeError} `not-found`; `refused` when no admin could log in any more
   */
  change(name: string, change: AccountChange, by?: Actor): Promise<Account>;
  /**
   * Makes several changes, all or none. Whether an admin that can log in is left is checked after the last.
   *
   * @returns the removed accounts, by the given names
   * @throws {BargeError} as {@link add}, {@link change} and {@link remove}
   */
  apply(changes: AccountChanges, by?: Actor): Promise<ReadonlyMap<string, RemovedAccount>>;
  /**
   * Checks that a new account would find no files in its home.
   *
   * @throws {BargeError} `exists` for files of a former account
   */
  needFreeHome(name: string): Promise<void>;
  /**
   * Adds an account that a client registers. Each attempt counts for its address, also one that fails.
   *
   * @param host the client's numeric address
   * @throws {BargeError} as {@link add}; `refused` beyond a limit
   */
  register(
    account: NewAccount,
    host: string,
    limits: RegisterLimits,
    by?: Actor,
  ): Promise<Account>;
  /**
   * Raises the quota of a login's account.
   *
   * @param check throws if the account may not have that quota
   * @param maxTotal bytes that registered accounts may take together; null for no limit
   * @returns undefined when the login has ended
   * @throws {BargeError} `refused` beyond `maxTotal`
   */
  grow(
    login: Login,
    limit: number,
    check: (account: Account) => void,
    maxTotal: number | null,
    by?: Actor,
  ): Promise<Account | undefined>;
  /**
   * Removes an account. Its home is kept, where no door shows it, and its files in /public stay, charged to
   * nobody.
   *
   * @param options.purge delete the home, and the account's files in /public
   * @throws {BargeError} `not-found`; `refused` when no admin could log in any more
   */
  remove(
    name: string,
    options: { readonly purge: boolean },
    by?: Actor,
  ): Promise<RemovedAccount>;
  /** Makes an account's home if it is missing. */
  makeHome(name: string): Promise<void>;
  /** Returns the number of files that an account is charged for, and their bytes. */
  owned(id: number): Promise<Pick<RemovedAccount, "files" | "bytes">>;
  /** Returns the sums over all accounts. */
  totals(): Promise<Totals>;
}
