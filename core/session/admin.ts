/** The verbs of admins. Each verb checks the role again, since the account may have lost it after the login. */
import type { Account } from "../storage/account.ts";
import type { Ban } from "../storage/logins.ts";
import { BargeError } from "../error.ts";
import { makeVerifier } from "../protocol/verifier.ts";
import { checkNetworks } from "../net/networks.ts";
import { runDerivation } from "../login/password.ts";
import { checkPasswordLength, needPasswordLogin } from "../login/change_password.ts";
import type { Verifier } from "../protocol/message.ts";
import type {
  AccountChange as StoredChange,
  AccountStore,
  NewAccount as StoredNewAccount,
  RemovedAccount,
} from "../storage/accounts.ts";
import type { Session } from "../login/session.ts";
import type { Service } from "../login/service.ts";

/** An account to make. */
export type NewAccount = Omit<StoredNewAccount, "verifier" | "adopt"> & {
  readonly password: string;
};

/** Changes the given fields. A new password ends the account's logins and tokens. */
export type AccountChange = Omit<StoredChange, "verifier"> & { readonly password?: string };

/**
 * Returns the server of an admin's session.
 *
 * @param options.worksOffline whether the verb has --data, which the hint then names. Default: true
 * @throws {BargeError} `denied` for any other account's
 */
export async function asAdmin(
  session: Session,
  { worksOffline = true } = {},
): Promise<Service> {
  session.refuseRestricted();
  if ((await session.account()).role === "admin") return session.store;
  const otherWay = worksOffline ? ", or use --data on the server" : "";
  throw new BargeError("denied", "only an admin may do that", {
    hint: `you are ${session.name}; log in as an admin${otherWay}`,
  });
}

/** Returns all accounts, by name. */
export async function listAccounts(session: Session): Promise<readonly Account[]> {
  return await (await asAdmin(session)).people.accounts.list();
}

/** Returns an account by its name. @throws {BargeError} `not-found` */
export async function findAccount(session: Session, name: string): Promise<Account> {
  return await (await asAdmin(session)).people.accounts.get(name);
}

/** Returns the files that an account is charged for, and their bytes. @throws {BargeError} `not-found` */
export async function ownedBy(session: Session, name: string): ReturnType<AccountStore["owned"]> {
  const { accounts } = (await asAdmin(session)).people;
  return await accounts.owned((await accounts.get(name)).id);
}

/**
 * Makes an account.
 *
 * @param gone aborted when the client has left
 * @throws {BargeError} `exists` for a name that is taken; `usage` for a name that can't be one, or a
 *   password that is too short; `unavailable` when too many log in
 */
export async function addAccount(
  session: Session,
  { password, ...account }: NewAccount,
  gone?: AbortSignal,
): Promise<Account> {
  checkPasswordLength(await asAdmin(session), password);
  checkNetworks(account.from ?? []);
  const verifier = await verifierOf(session, password, gone);
  const { accounts } = (await asAdmin(session)).people;
  return await accounts.add({ ...account, verifier }, session.actor);
}

/**
 * Changes an account.
 *
 * @param gone aborted when the client has left
 * @returns the account as it is now
 * @throws {BargeError} `not-found`; `refused` when it would leave no admin that can log in; `usage`
 *   for a password that is too short; `unavailable` when too many log in; `denied` for a new password of the
 *   session's own account, unless the client logged in with the old one, and for the removal of its second
 *   factor, which needs a code
 */
export async function changeAccount(
  session: Session,
  name: string,
  { password, ...change }: AccountChange,
  gone?: AbortSignal,
): Promise<Account> {
  const store = await asAdmin(session);
  if (password !== undefined || change.totp !== undefined) {
    const isOwn = (await store.people.accounts.get(name)).id === session.id;
    if (isOwn && change.totp !== undefined) throw ownFactor();
    if (isOwn) await needPasswordLogin(session);
  }
  if (password !== undefined) checkPasswordLength(store, password);
  checkNetworks(change.from ?? []);
  const verifier = password === undefined ? undefined : await verifierOf(session, password, gone);
  const { accounts } = (await asAdmin(session)).people;
  return await accounts.change(name, { ...change, verifier }, session.actor);
}

function ownFactor(): BargeError {
  return new BargeError("denied", "you disable your own second factor with its code", {
    hint: "use `barge totp disable`, or the page of your account",
  });
}

function verifierOf(session: Session, password: string, gone?: AbortSignal): Promise<Verifier> {
  return runDerivation(() => makeVerifier("password", password), gone, { account: session.name });
}

/** Removes an account. @throws {BargeError} as `AccountStore.remove` */
export async function removeAccount(
  session: Session,
  name: string,
  options: { readonly purge: boolean },
): Promise<RemovedAccount> {
  return await (await asAdmin(session)).people.accounts.remove(name, options, session.actor);
}

/** Returns the bans in force. */
export async function listBans(session: Session): Promise<readonly Ban[]> {
  return await (await asAdmin(session)).people.logins.bans();
}

/** Ends the bans of an account or address. @returns the bans that were in force */
export async function liftBans(session: Session, subject: string): Promise<readonly Ban[]> {
  return await (await asAdmin(session)).people.logins.liftBans(subject, session.actor);
}

/** Returns the traffic of the last hour or day, one sample for each span of time. */
export async function ratesOf(
  session: Session,
  span: "hour" | "day",
): Promise<ReturnType<Service["history"]["rates"]>> {
  const { history, metrics } = await asAdmin(session, { worksOffline: false });
  return history.rates(span, metrics.totals());
}
