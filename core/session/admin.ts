/**
 * The verbs of admins at a door. Each verb checks the role again, which may have been taken away
 * since the login.
 */
import type { Account, Role } from "../storage/account.ts";
import type { Ban } from "../local/account/bans.ts";
import { BargeError } from "../error.ts";
import { makeVerifier } from "../protocol/verifier.ts";
import { bounded } from "../login/enter.ts";
import { needLength } from "../login/passwd.ts";
import { removeAccount as removeFrom, type RemovedAccount } from "../repair/remove_account.ts";
import type { Session } from "../login/session.ts";
import type { Store } from "../local/store.ts";

/** An account that is to be made. */
export interface NewAccount {
  readonly name: string;
  readonly password: string;
  readonly role: Role;
  /** Bytes; null for no limit. */
  readonly limit: number | null;
  /** Files, folders and partial uploads; null for no limit. Default: by the quota. */
  readonly entryLimit?: number | null;
}

/** Changes the given fields. A new password ends the account's logins and tokens. */
export type AccountChange = Partial<Omit<NewAccount, "name">> & { readonly disabled?: boolean };

/** Every verb here: @throws {BargeError} `denied` for an account without the role of admin */
function asAdmin(session: Session): Store {
  if (session.account().role === "admin") return session.store;
  throw new BargeError("denied", "only an admin may do that");
}

/** All accounts, by name. */
export function listAccounts(session: Session): Account[] {
  return asAdmin(session).accounts.list();
}

/** @throws {BargeError} `not-found` */
export function findAccount(session: Session, name: string): Account {
  return asAdmin(session).accounts.get(name);
}

/** The files that an account is charged for, and their bytes. @throws {BargeError} `not-found` */
export function ownedBy(session: Session, name: string): { files: number; bytes: number } {
  const { accounts, ledger } = asAdmin(session);
  return ledger.owned(accounts.get(name).id);
}

/**
 * @param gone aborted when nobody waits for it any more
 * @throws {BargeError} `exists` for a name that is taken; `usage` for a name that can't be one, or a
 *   password that is too short; `unavailable` when too many log in
 */
export async function addAccount(
  session: Session,
  { name, password, role, limit, entryLimit }: NewAccount,
  gone?: AbortSignal,
): Promise<Account> {
  needLength(asAdmin(session), password);
  const who = { account: session.name };
  const verifier = await bounded(() => makeVerifier("password", password), gone, who);
  return asAdmin(session).accounts.add({ name, role, limit, entryLimit, verifier });
}

/**
 * @param gone aborted when nobody waits for it any more
 * @returns the account as it is now
 * @throws {BargeError} `not-found`; `refused` when it would leave no admin that can log in; `usage`
 *   for a password that is too short; `unavailable` when too many log in
 */
export async function changeAccount(
  session: Session,
  name: string,
  { password, ...change }: AccountChange,
  gone?: AbortSignal,
): Promise<Account> {
  const store = asAdmin(session);
  if (password !== undefined) needLength(store, password);
  const verifier = password === undefined
    ? undefined
    : await bounded(() => makeVerifier("password", password), gone, { account: session.name });
  return asAdmin(session).accounts.change(name, { ...change, verifier });
}

/** @throws {BargeError} as `removeAccount` of remove-account.ts */
export async function removeAccount(
  session: Session,
  name: string,
  options: { readonly purge: boolean },
): Promise<RemovedAccount> {
  return await removeFrom(asAdmin(session), name, options);
}

/** The bans that hold. */
export function listBans(session: Session): Ban[] {
  return asAdmin(session).bans.list();
}

/** Ends the bans of an account or address. @returns those that there were */
export function liftBans(session: Session, subject: string): Ban[] {
  return asAdmin(session).bans.lift(subject);
}

/** Returns the traffic of the last hour or day, one sample for each span of time. */
export function ratesOf(
  session: Session,
  span: "hour" | "day",
): ReturnType<Store["history"]["rates"]> {
  const { history, metrics } = asAdmin(session);
  return history.rates(span, metrics.totals());
}
