/**
 * Opens data directories, and storage that many machines share. Each verb writes the name of the storage to
 * standard error, so that work on a wrong one is noticed.
 */
import { resolve } from "node:path";
import type { Account } from "../../core/storage/account.ts";
import type { AccountStore } from "../../core/storage/accounts.ts";
import type { AuditStore } from "../../core/storage/audit/audit.ts";
import type { LoginStore } from "../../core/storage/logins.ts";
import { BargeError, typed } from "../../core/error.ts";
import type { Store } from "../../core/local/store.ts";
import {
  command,
  type Common,
  type Context,
  dataOption,
  type Declared,
  isDataNamed,
  isDataOnLine,
  type Options,
  type Outcome,
  type ValuesOf,
} from "../_term/command.ts";
import { checkNetworks } from "../../core/net/networks.ts";
import { note } from "../_term/out.ts";
import { storageOptions } from "./storage_options.ts";

/** The options that name the storage of a verb. */
export const accountsOptions = { data: dataOption(), ...storageOptions };
export type AccountsValues = ValuesOf<typeof accountsOptions>;

/** The accounts and logins of a data directory, or of storage that many machines share. */
export interface AccountStores extends AsyncDisposable {
  readonly accounts: AccountStore;
  readonly logins: LoginStore;
  readonly audit: AuditStore;
}

interface OpenOptions {
  /**
   * Make the storage if it is missing: the directory (mode 0700) and its database, but only if the command
   * line or BARGE_DATA names the directory; or the tables of shared storage.
   */
  readonly create?: boolean;
  /** Make the database even if the directory has files already. */
  readonly adopt?: boolean;
}

/**
 * Opens the accounts that the options name.
 *
 * @throws {BargeError} `usage` for options that contradict each other; as `Database`, or as `openShared`
 */
export async function openAccounts(
  values: AccountsValues,
  options: OpenOptions = {},
): Promise<AccountStores> {
  if (!isShared(values)) return await openLocalAccounts(values.data, options);
  if (options.adopt) {
    throw new BargeError("usage", "--adopt is for data directories", {
      hint: "storage that many machines share keeps no files of former accounts in homes/",
    });
  }
  const { openShared } = await import("./shared.ts");
  const storage = await openShared(values, options);
  return { ...storage.people, [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose]() };
}

/**
 * Returns whether the options name storage that many machines share.
 *
 * @throws {BargeError} `usage` where the command line names a data directory beside it
 */
export function isShared({ store, bucket }: AccountsValues): boolean {
  if (store === undefined && bucket === undefined) return false;
  if (!isDataOnLine()) return true;
  throw new BargeError("usage", "--data and --store exclude each other", {
    hint: "for the data directory, unset BARGE_STORE and BARGE_BUCKET",
  });
}

/**
 * Refuses storage that many machines share, for a verb that works on the files of a data directory.
 *
 * @param instead how to do the same on shared storage, for the hint
 * @throws {BargeError} `usage`
 */
export function needDirectory(values: AccountsValues, instead: string): void {
  if (!isShared(values)) return;
  const why = "this works on a data directory, and not on storage that many machines share";
  throw new BargeError("usage", why, { hint: instead });
}

async function openLocalAccounts(data: string, options: OpenOptions): Promise<AccountStores> {
  noteData(data);
  const { create, adopt } = options;
  const made = create && !exists(`${data}/accounts.db`) && await makeFolder(data);
  if (create || adopt) {
    const { Database } = await import("../../core/local/database/database.ts");
    (await upToDate(data, () => new Database(data, options)))[Symbol.dispose]();
  }
  const store = await openStore(data, true);
  if (made) note(made);
  else await noteServersElsewhere(data);
  return {
    ...store.people,
    [Symbol.asyncDispose]: () => Promise.resolve(store[Symbol.dispose]()),
  };
}

/** Declares a verb that works on the accounts of a storage. */
export function accountsCommand<T>(
  { options, run, ...help }: Omit<Declared<T>, "run"> & {
    run(values: T & AccountsValues & Common, stores: AccountStores, context: Context): Outcome;
  },
) {
  return command<T & AccountsValues>({
    ...help,
    options: { ...options, ...accountsOptions } as Options<T & AccountsValues>,
    async run(values, context) {
      await using stores = await openAccounts(values);
      return await run(values, stores, context);
    },
  });
}

/**
 * Opens a data directory with its files. Notes the directory and, if no server runs on it, those of other servers.
 *
 * @param quiet write nothing to standard error
 * @throws {BargeError} as `Database`
 */
export async function openStore(data: string, quiet = false): Promise<Store> {
  if (!quiet) noteData(data);
  const { Store } = await import("../../core/local/store.ts");
  const rules = { allowRegister: false, defaultLimit: null, maxLimit: null } as const;
  const store = await upToDate(data, () => new Store({ data, durability: "full", ...rules }));
  if (!quiet) await noteServersElsewhere(data);
  return store;
}

/** Returns an account as `--json` shows it. The fields are frozen. */
export function accountFields({ name, role, disabled, used, limit, ...account }: Account) {
  const { entries, entryLimit, expired, from, totp } = account;
  const created = new Date(account.created).toISOString();
  const expires = account.expires === null ? null : new Date(account.expires).toISOString();
  const limits = { entries, entryLimit, expires, expired, from };
  return { name, role, disabled, used, limit, created, ...limits, totp };
}

/**
 * Returns the networks of `--from`; undefined: the option was not given; null: `none`.
 *
 * @throws {BargeError} `usage`
 */
export function networksOf(texts: readonly string[]): readonly string[] | null | undefined {
  if (texts.length === 0) return undefined;
  if (texts.length === 1 && texts[0] === "none") return null;
  checkNetworks(texts);
  return texts;
}

/** Returns the reason why an account may not log in, as an addition to its role; "" for none. */
export function stateOf({ disabled, expired }: Pick<Account, "disabled" | "expired">): string {
  return disabled ? ", disabled" : expired ? ", expired" : "";
}

/** Writes the used directory to standard error. */
export function noteData(data: string): void {
  note(`data directory: ${resolve(data)}`);
}

/**
 * Names the servers on other directories if none runs on this one: the operator may have forgotten BARGE_DATA.
 * A directory on the command line is certainly meant.
 */
export async function noteServersElsewhere(data: string): Promise<void> {
  if (isDataOnLine()) return;
  const { serversElsewhere } = await import("../../core/serve/running_servers.ts");
  const others = serversElsewhere(data);
  if (others === undefined) return;
  note(`no server was found on this directory; ${others}`);
}

/**
 * Makes a directory that the operator has named. Only `barge serve` makes the default one.
 *
 * @returns the message to write once the database of the directory is made
 */
async function makeFolder(data: string): Promise<string> {
  if (!isDataNamed() && !exists(data)) {
    throw await noDirectory(data, ", or make this one with `barge serve`");
  }
  const running = await serversClause(data);
  await Deno.mkdir(data, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw typed(cause, { op: "make", path: data });
  });
  return `the directory is new${running}`;
}

/**
 * Returns the failure for a missing data directory. It names the servers that run on other ones.
 *
 * @param more an addition to the hint
 */
export async function noDirectory(data: string, more = ""): Promise<BargeError> {
  const running = await serversClause(data);
  return new BargeError("not-found", `there is no barge data directory here${running}`, {
    op: "open",
    path: data,
    hint: `name the server's directory with --data or BARGE_DATA${more}`,
  });
}

/** Returns the addition to a message that names the servers on other directories; "" for none. */
async function serversClause(data: string): Promise<string> {
  const { otherServers } = await import("../../core/serve/running_servers.ts");
  const others = otherServers(data);
  return others === undefined ? "" : `; ${others}`;
}

/** Opens a database, after an upgrade of older tables. */
async function upToDate<T>(data: string, open: () => T): Promise<T> {
  const { OlderTables } = await import("../../core/local/database/older_tables.ts");
  try {
    return open();
  } catch (error) {
    if (!(error instanceof OlderTables)) {
      if (!exists(`${data}/accounts.db`) && isMissing(error)) throw await noDirectory(data);
      const { nameOwner } = await import("./foreign_data.ts");
      throw nameOwner(error, data);
    }
    const { upgradeAlone } = await import("../../core/serve/data.ts");
    const { from, to, copy } = await upgradeAlone(data, error);
    const versions = `from version ${from} to ${to}`;
    note(
      `accounts.db: the tables were upgraded ${versions}; the old database was copied to ${copy}`,
    );
    return open();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof BargeError && error.kind === "not-found";
}

/** Returns whether a path exists. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false; // the later open reports any other failure
  }
}
