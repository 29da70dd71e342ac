/** Accounts, as rows of the database: see core/storage/accounts.ts. */
import { BargeError } from "../../error.ts";
import type { Verifier } from "../../protocol/message.ts";
import type { Account, Login } from "../../storage/account.ts";
import {
  accountExists,
  checkAccountName,
  isLastAdmin,
  isLastingAdmin,
  nearQuotaShare,
  noSuchAccount,
  removesLastAdmin,
  usualEntries,
} from "../../storage/account_rules.ts";
import { changedFields } from "../../storage/account_change.ts";
import type {
  AccountChange,
  AccountChanges,
  AccountStore,
  NewAccount,
  RegisterLimits,
  RemovedAccount,
  Totals,
} from "../../storage/accounts.ts";
import { type Actor, operator } from "../../storage/audit/audit.ts";
import { accountAdded, accountChanged } from "../../storage/audit/entries.ts";
import {
  accountAddedEvent,
  accountChangedEvent,
  accountRemovedEvent,
} from "../../storage/event_facts.ts";
import type { NewEvent } from "../../storage/events.ts";
import { joinItems } from "../../storage/scope.ts";
import { accountColumns, accountOfLogin } from "../tree/account_rows.ts";
import { encodeName } from "../database/name.ts";
import type { Parts } from "../bucket/parts.ts";
import { dropFactor } from "./factors.ts";
import type { Statements, Value } from "../database/postgres.ts";
import { type Record, recording } from "../database/audit_rows.ts";
import { beginRegistration, endRegistration, grant } from "./registrations.ts";
import { ownedBy, removeAccount } from "./remove_account.ts";
import { staleSeconds } from "../tree/upload_rows.ts";

/** The key of the advisory lock that is held while admins or registered accounts are counted. */
const adminsLock = 0x61646d69;

export class SharedAccounts implements AccountStore {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async list(): Promise<readonly Account[]> {
    return await select(this.#parts.db, "true ORDER BY lower(name)");
  }

  async find(name: string): Promise<Account | undefined> {
    return await find(this.#parts.db, name);
  }

  async byId(id: number): Promise<Account | undefined> {
    return (await select(this.#parts.db, "id = $1", id))[0];
  }

  async get(name: string): Promise<Account> {
    return await get(this.#parts.db, name);
  }

  async add(account: NewAccount, by: Actor = operator): Promise<Account> {
    const { db, outbox } = this.#parts;
    return await recording(db, async (tx, record) => {
      const added = await add(tx, account);
      await record(accountAdded(added, by));
      await outbox.add(tx, () => [accountAddedEvent(added.name, added.role)]);
      return added;
    });
  }

  async change(name: string, change: AccountChange, by: Actor = operator): Promise<Account> {
    const { db, outbox } = this.#parts;
    return await recording(db, async (tx, record) => {
      const { account, events } = await changeAccount(tx, record, { name, change, by });
      await outbox.add(tx, () => events);
      return account;
    });
  }

  async apply(
    changes: AccountChanges,
    by: Actor = operator,
  ): Promise<ReadonlyMap<string, RemovedAccount>> {
    const { db, outbox } = this.#parts;
    return await recording(db, async (tx, record) => {
      const { homes, events } = await applyChanges(tx, record, changes, by);
      await outbox.add(tx, () => events);
      return homes;
    });
  }

  async needFreeHome(name: string): Promise<void> {
    await needFreeHome(this.#parts.db, name);
  }

  async register(
    account: NewAccount,
    host: string,
    limits: RegisterLimits,
    by: Actor = operator,
  ): Promise<Account> {
    const { db, outbox } = this.#parts;
    const attempt = await db.transaction((tx) => beginRegistration(tx, host, limits));
    return await recording(db, async (tx, record) => {
      await lockAdmins(tx);
      const made = await add(tx, account);
      await endRegistration(tx, attempt, made.id, account.limit, limits);
      await outbox.add(tx, () => [accountAddedEvent(made.name, made.role)]);
      await record(accountAdded(made, by));
      return made;
    });
  }

  async grow(
    login: Login,
    limit: number,
    check: (account: Account) => void,
    maxTotal: number | null,
    by: Actor = operator,
  ): Promise<Account | undefined> {
    const { db, outbox } = this.#parts;
    return await recording(db, async (tx, record) => {
      await lockAdmins(tx);
      const account = await accountOfLogin(tx, login);
      if (!account) return undefined;
      check(account);
      const sql = "SELECT 1 FROM account WHERE id = $1 AND granted IS NOT NULL";
      if ((await tx.all(sql, account.id)).length > 0) {
        await grant(tx, account.id, limit, maxTotal);
      }
      const { name } = account;
      const grown = await changeAccount(tx, record, { name, change: { limit }, by });
      await outbox.add(tx, () => grown.events);
      return grown.account;
    });
  }

  async remove(
    name: string,
    { purge }: { readonly purge: boolean },
    by: Actor = operator,
  ): Promise<RemovedAccount> {
    const { db, outbox } = this.#parts;
    return await recording(db, async (tx, record) => {
      await lockAdmins(tx);
      const account = await get(tx, name);
      const removed = await removeAccount(tx, record, { account, purge, by });
      if (isLastingAdmin(account) && await areAdminsGone(tx)) throw isLastAdmin(name);
      await outbox.add(tx, () => [accountRemovedEvent(account.name)]);
      return removed;
    });
  }

  async makeHome(name: string): Promise<void> {
    await this.#parts.db.all(
      `INSERT INTO node (parent, name, folder, modified) VALUES (1, decode($1, 'hex'), true, now_ms())
       ON CONFLICT DO NOTHING`,
      encodeName(name),
    );
  }

  async owned(id: number): Promise<{ readonly files: number; readonly bytes: number }> {
    return await ownedBy(this.#parts.db, id);
  }

  async totals(): Promise<Totals> {
    const { db } = this.#parts;
    const [accounts] = await db.all<Totals["accounts"]>(
      `SELECT count(*) AS count, coalesce(sum(used), 0)::bigint AS used,
         coalesce(sum(reserved), 0)::bigint AS reserved FROM account`,
    );
    const [uploads] = await db.all<Totals["uploads"]>(
      `SELECT count(*) AS unfinished, coalesce(sum(want), 0)::bigint AS staged,
         count(*) FILTER (WHERE holder IS NOT NULL
           AND touched > now() - interval '${staleSeconds} seconds') AS moving FROM upload`,
    );
    const [{ banned }] = await db.all<{ banned: number }>(
      "SELECT count(*) AS banned FROM ban WHERE until > now_ms()",
    );
    const [{ nearQuota }] = await db.all<{ nearQuota: number }>(
      `SELECT count(*) AS "nearQuota" FROM account
       WHERE quota > 0 AND used + reserved >= quota * ${nearQuotaShare}`,
    );
    return { accounts, uploads, banned, nearQuota };
  }
}

async function applyChanges(
  tx: Statements,
  record: Record,
  { added, changed, removed }: AccountChanges,
  by: Actor,
): Promise<{
  readonly homes: ReadonlyMap<string, RemovedAccount>;
  readonly events: readonly NewEvent[];
}> {
  const events: NewEvent[] = [];
  await lockAdmins(tx);
  for (const account of added) {
    const made = await add(tx, account);
    await record(accountAdded(made, by));
    events.push(accountAddedEvent(made.name, made.role));
  }
  let lastAdmin: string | undefined;
  for (const { name, change } of changed) {
    const before = await setColumns(tx, name, change);
    events.push(...await recordChange(record, before, change, by));
    if (isLastingAdmin(before)) lastAdmin = name;
  }
  if (lastAdmin !== undefined && await areAdminsGone(tx)) throw isLastAdmin(lastAdmin);
  const homes = new Map<string, RemovedAccount>();
  let admins = 0;
  for (const name of removed) {
    const account = await get(tx, name);
    if (isLastingAdmin(account)) admins++;
    homes.set(name, await removeAccount(tx, record, { account, purge: false, by }));
    events.push(accountRemovedEvent(account.name));
  }
  if (admins > 0 && await areAdminsGone(tx)) throw removesLastAdmin();
  return { homes, events };
}

async function select(db: Statements, condition: string, ...values: Value[]): Promise<Account[]> {
  return await db.all<Account>(
    `SELECT ${accountColumns} FROM account WHERE ${condition}`,
    ...values,
  );
}

async function find(db: Statements, name: string): Promise<Account | undefined> {
  return (await select(db, "lower(name) = lower($1)", name))[0];
}

async function get(db: Statements, name: string): Promise<Account> {
  const account = await find(db, name);
  if (!account) throw noSuchAccount(name);
  return account;
}

async function add(
  tx: Statements,
  account: NewAccount,
): Promise<Account> {
  const { name, role, limit, entryLimit, verifier, disabled = false, adopt = false } = account;
  const { expires = null, from = null } = account;
  checkAccountName(name);
  if (!adopt) await needFreeHome(tx, name);
  const rows = await tx.all<{ id: number }>(
    `INSERT INTO account (name, role, quota, entry_limit, entry_limit_set, verifier, disabled,
       expires, networks)
     VALUES ($1, $2, $3::bigint, $4::bigint, $5::boolean, $6::text::jsonb, $7::boolean,
       $8::bigint, $9)
     ON CONFLICT (lower(name)) DO NOTHING RETURNING id`,
    name,
    role,
    limit,
    entryLimit === undefined ? usualEntries(limit) : entryLimit,
    entryLimit !== undefined,
    JSON.stringify(verifier),
    disabled,
    expires,
    joinItems(from),
  );
  if (rows.length === 0) throw accountExists(name);
  return await get(tx, name);
}

/** @throws {BargeError} `exists` where the home holds files of a former account */
async function needFreeHome(tx: Statements, name: string): Promise<void> {
  const rows = await tx.all(
    `SELECT 1 FROM node WHERE parent = (SELECT id FROM node WHERE parent = 1
       AND name = decode($1, 'hex')) LIMIT 1`,
    encodeName(name),
  );
  if (rows.length === 0 || await find(tx, name)) return;
  throw new BargeError("exists", `homes/${name} holds files of a former account`, {
    account: name,
    path: name,
    hint: "choose another name",
  });
}

async function changeAccount(
  tx: Statements,
  record: Record,
  { name, change, by }: {
    readonly name: string;
    readonly change: AccountChange;
    readonly by: Actor;
  },
): Promise<{ readonly account: Account; readonly events: readonly NewEvent[] }> {
  const { role, disabled, expires } = change;
  if (role || disabled !== undefined || expires !== undefined) await lockAdmins(tx);
  const before = await setColumns(tx, name, change);
  if (isLastingAdmin(before) && await areAdminsGone(tx)) throw isLastAdmin(name);
  const events = await recordChange(record, before, change, by);
  return { account: await get(tx, name), events };
}

/** Records the fields that a change makes different. @returns its event, or none if nothing differs */
async function recordChange(
  record: Record,
  before: Account,
  change: AccountChange,
  by: Actor,
): Promise<readonly NewEvent[]> {
  const changes = changedFields(before, change);
  if (!changes) return [];
  await record(accountChanged(before, changes, by));
  return [accountChangedEvent(before.name, changes)];
}

/** Changes the row of an account. @returns the account before the change */
async function setColumns(
  tx: Statements,
  name: string,
  { role, disabled, limit, entryLimit, verifier, expires, from, totp }: AccountChange,
): Promise<Account> {
  const before = await get(tx, name);
  const { id } = before;
  const set = (columns: string, ...values: Value[]) =>
    tx.all(`UPDATE account SET ${columns} WHERE id = $1`, id, ...values);
  if (role) await set("role = $2", role);
  if (disabled !== undefined) await set("disabled = $2::boolean", disabled);
  if (limit !== undefined) {
    await set(
      `quota = $2::bigint,
       entry_limit = CASE WHEN entry_limit_set THEN entry_limit ELSE $3::bigint END`,
      limit,
      usualEntries(limit),
    );
  }
  if (entryLimit !== undefined) {
    await set("entry_limit = $2::bigint, entry_limit_set = true", entryLimit);
  }
  if (expires !== undefined) await set("expires = $2::bigint", expires);
  if (from !== undefined) await set("networks = $2", joinItems(from));
  if (totp === false) await dropFactor(tx, id);
  if (verifier) await setVerifier(tx, id, verifier);
  return before;
}

/**
 * Gives an account another password, and ends its logins with the old one, tokens and web sessions.
 *
 * @returns the epoch of the new password: the number of times that the password was changed
 */
export async function setVerifier(tx: Statements, id: number, verifier: Verifier): Promise<number> {
  const [{ epoch }] = await tx.all<{ epoch: number }>(
    `UPDATE account SET verifier = $2::text::jsonb, epoch = epoch + 1 WHERE id = $1
     RETURNING epoch`,
    id,
    JSON.stringify(verifier),
  );
  await tx.all("DELETE FROM token WHERE account = $1", id);
  await tx.all("DELETE FROM web_session WHERE account = $1", id);
  return epoch;
}

/** Locks the counts of admins and of registered accounts until the end of the transaction. */
async function lockAdmins(tx: Statements): Promise<void> {
  await tx.all("SELECT pg_advisory_xact_lock($1)", adminsLock);
}

/** Returns whether there are accounts, and none of them is an admin as in {@link isLastingAdmin}. */
async function areAdminsGone(tx: Statements): Promise<boolean> {
  const [{ admins, accounts }] = await tx.all<{ admins: number; accounts: number }>(
    `SELECT count(*) FILTER (WHERE role = 'admin' AND NOT disabled AND expires IS NULL) AS admins,
       count(*) AS accounts FROM account`,
  );
  return admins === 0 && accounts > 0;
}
