/** What the verbs that work on a data directory share. */
import type { Account, Accounts } from "../../core/account/accounts.ts";
import type { Bans } from "../../core/account/bans.ts";
import type { Database } from "../../core/account/database.ts";
import type { Keys } from "../../core/account/keys.ts";
import type { Tokens } from "../../core/account/tokens.ts";
import { typed } from "../../core/error.ts";
import type { Store } from "../../core/session/store.ts";

/** The accounts of a data directory. Dispose it to close the database. */
export interface OpenAccounts extends Disposable {
  readonly db: Database;
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly keys: Keys;
  readonly bans: Bans;
}

/**
 * Opens the accounts of a data directory.
 *
 * @param options.create make the directory (mode 0700) and the database if there is none
 * @throws {BargeError} what opening the database gives
 */
export async function openAccounts(
  data: string,
  options: { create?: boolean } = {},
): Promise<OpenAccounts> {
  if (options.create) {
    await Deno.mkdir(data, { recursive: true, mode: 0o700 }).catch((cause) => {
      throw typed(cause, { op: "make", path: data });
    });
  }
  const { Database } = await import("../../core/account/database.ts");
  const { Accounts } = await import("../../core/account/accounts.ts");
  const { Tokens } = await import("../../core/account/tokens.ts");
  const { Keys } = await import("../../core/account/keys.ts");
  const { Bans } = await import("../../core/account/bans.ts");
  const db = new Database(data, options);
  return {
    db,
    accounts: new Accounts(db),
    tokens: new Tokens(db),
    keys: new Keys(db),
    bans: new Bans(db),
    [Symbol.dispose]: () => db[Symbol.dispose](),
  };
}

/** Opens a data directory with its files, for what a server's rules do not matter to. */
export async function openStore(data: string): Promise<Store> {
  const { Store } = await import("../../core/session/store.ts");
  const rules = { allowRegister: false, defaultLimit: null, maxLimit: null } as const;
  return new Store({ data, durability: "full", ...rules });
}

/** An account as `--json` shows it. The fields are frozen. */
export function accountFields({ name, role, disabled, used, limit, created }: Account) {
  return { name, role, disabled, used, limit, created: new Date(created).toISOString() };
}
