/**
 * Opens data directories. Each verb writes the directory to standard error, so that work on a wrong
 * directory is noticed.
 */
import { resolve } from "node:path";
import type { Account } from "../../core/storage/account.ts";
import { BargeError, typed } from "../../core/error.ts";
import type { Store } from "../../core/local/store.ts";
import {
  command,
  type Common,
  type Context,
  dataOption,
  type Declared,
  isDataNamed,
  type Options,
  type Outcome,
} from "../_term/command.ts";
import { note } from "../_term/out.ts";

/** The most other servers that are named. */
const maxServers = 3;

/** The tables of a data directory's database. Dispose them to close it. */
export type AccountTables = Awaited<ReturnType<typeof openAccounts>>;

/**
 * Opens the accounts of a data directory.
 *
 * @param options.create make a missing directory (mode 0700) and database, if the command line or
 *   BARGE_DATA names the directory
 * @param options.adopt make the database also where files exist
 * @throws {BargeError} as `Database`
 */
export async function openAccounts(
  data: string,
  options: { create?: boolean; adopt?: boolean } = {},
) {
  noteData(data);
  const made = options.create && !exists(`${data}/accounts.db`) && await makeFolder(data);
  const { Database } = await import("../../core/local/database/database.ts");
  const { Accounts } = await import("../../core/local/account/accounts.ts");
  const { Tokens } = await import("../../core/local/account/tokens.ts");
  const { Keys } = await import("../../core/local/account/keys.ts");
  const { Bans } = await import("../../core/local/account/bans.ts");
  const db = await upToDate(data, () => new Database(data, options));
  if (made) note(made);
  return {
    db,
    accounts: new Accounts(db),
    tokens: new Tokens(db),
    keys: new Keys(db),
    bans: new Bans(db),
    [Symbol.dispose]: () => db[Symbol.dispose](),
  };
}

type DataValues = { readonly data: string };

/** Declares a verb that works on the accounts of a data directory. */
export function accountsCommand<T>(
  { options, run, ...help }: Omit<Declared<T>, "run"> & {
    run(values: T & DataValues & Common, tables: AccountTables, context: Context): Outcome;
  },
) {
  return command<T & DataValues>({
    ...help,
    options: { ...options, data: dataOption() } as Options<T & DataValues>,
    async run(values, context) {
      using tables = await openAccounts(values.data);
      return await run(values, tables, context);
    },
  });
}

/**
 * Opens a data directory with its files.
 *
 * @param quiet do not write the directory to standard error
 * @throws {BargeError} as `Database`
 */
export async function openStore(data: string, quiet = false): Promise<Store> {
  if (!quiet) noteData(data);
  const { Store } = await import("../../core/local/store.ts");
  const rules = { allowRegister: false, defaultLimit: null, maxLimit: null } as const;
  return await upToDate(data, () => new Store({ data, durability: "full", ...rules }));
}

/** Returns an account as `--json` shows it. The fields are frozen. */
export function accountFields({ name, role, disabled, used, limit, ...account }: Account) {
  const { entries, entryLimit } = account;
  const created = new Date(account.created).toISOString();
  return { name, role, disabled, used, limit, created, entries, entryLimit };
}

/** Writes the used directory to standard error. */
export function noteData(data: string): void {
  note(`data directory: ${resolve(data)}`);
}

/** Returns the servers on other directories as a text; undefined: none. */
export async function otherServers(data: string): Promise<string | undefined> {
  const { runningServers } = await import("../../core/serve/running_servers.ts");
  const own = resolve(data);
  const others = runningServers().filter((server) => server.data !== own);
  if (others.length === 0) return undefined;
  const texts = others.map(({ pid, data }) => data ? `${data} (process ${pid})` : `process ${pid}`);
  const more = texts.length - maxServers;
  return texts.slice(0, maxServers).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/**
 * Makes a directory that the operator has named. Only `barge serve` makes the default one.
 *
 * @returns the message for when its database is made, too
 */
async function makeFolder(data: string): Promise<string> {
  const others = await otherServers(data);
  const running = others === undefined ? "" : `; servers run on other directories: ${others}`;
  if (!isDataNamed() && !exists(data)) {
    throw new BargeError("not-found", `there is no barge data directory here${running}`, {
      op: "open",
      path: data,
      hint: "name the server's directory with --data or BARGE_DATA, or make this one with " +
        "`barge serve`",
    });
  }
  await Deno.mkdir(data, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw typed(cause, { op: "make", path: data });
  });
  return `the directory is new${running}`;
}

/** Opens a database, after an upgrade of older tables. */
async function upToDate<T>(data: string, open: () => T): Promise<T> {
  const { OlderTables } = await import("../../core/local/database/older_tables.ts");
  try {
    return open();
  } catch (error) {
    if (!(error instanceof OlderTables)) throw error;
    const { upgradeAlone } = await import("../../core/serve/data.ts");
    const { from, to, copy } = await upgradeAlone(data, error);
    const versions = `from version ${from} to ${to}`;
    note(
      `accounts.db: the tables were upgraded ${versions}; the old database was copied to ${copy}`,
    );
    return open();
  }
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
