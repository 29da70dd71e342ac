/** Makes the account `admin` of a new data directory. */
import { getLogger } from "@logtape/logtape";
import { randomInt } from "node:crypto";
import { BargeError } from "../error.ts";
import {
  dropAdminPassword,
  firstAdmin,
  keepAdminPassword,
} from "../local/account/admin_password.ts";
import { makeVerifier } from "../protocol/verifier.ts";
import { type AccountStore, defaultQuota } from "../storage/accounts.ts";

const log = getLogger(["barge", "serve"]);

/** The first admin's password, or the file that holds it. */
export type FirstPassword = { readonly password: string } | { readonly file: string };

export interface FirstAccountOptions {
  /** Make a new database in place of a lost one, and give admin the files in homes/admin. */
  readonly adopt: boolean;
  /** Write the password to a file in the data directory, since no terminal shows it. */
  readonly keepPassword: boolean;
  /** Called only when the account was made. */
  readonly onFirstAccount: (name: string, secret: FirstPassword) => void;
}

/**
 * Makes the account if the database has none. Logs a warning if no admin can log in.
 *
 * @throws {BargeError} `fatal` when `homes/admin` has files and `adopt` is off
 */
export async function makeFirstAccount(
  accounts: Pick<AccountStore, "list" | "add">,
  data: string,
  { adopt, keepPassword, onFirstAccount }: FirstAccountOptions,
): Promise<void> {
  const existing = await accounts.list();
  if (existing.length > 0) {
    if (existing.some(({ role, disabled }) => role === "admin" && !disabled)) return;
    return log.warn(
      "no account is an admin that can log in; `barge user add NAME --admin` makes one",
    );
  }
  const password = makePassword();
  const verifier = await makeVerifier("password", password);
  const secret = keepPassword ? { file: keepAdminPassword(data, password) } : { password };
  try {
    const role = "admin";
    await accounts.add({ name: firstAdmin, role, limit: defaultQuota(role), verifier, adopt });
  } catch (error) {
    if (keepPassword) dropAdminPassword(data, firstAdmin);
    if (!(error instanceof BargeError) || error.kind !== "exists") throw error;
    throw new BargeError("fatal", `there is no account, and ${error.message}`, {
      op: "make the account",
      path: firstAdmin,
      cause: error,
      hint: "move that folder away, or give it to the new admin with --adopt",
    });
  }
  onFirstAccount(firstAdmin, secret);
}

/** 20 characters of 31 that can't be mistaken for each other: 99 bits. */
function makePassword(): string {
  const letters = "abcdefghijkmnpqrstuvwxyz2345679";
  const random = Array.from({ length: 20 }, () => letters[randomInt(letters.length)]).join("");
  return random.match(/.{5}/g)!.join("-");
}

/**
 * Makes the account in storage that machines share. If several nodes start at once, only one of them makes
 * the account and shows its password.
 */
export async function makeSharedFirstAccount(
  accounts: AccountStore,
  { keepPassword, onFirstAccount }: FirstAccountOptions,
): Promise<void> {
  if ((await accounts.list()).length > 0) return;
  if (keepPassword) {
    return log.warn("there is no account yet; `barge user add NAME --admin --store ...` makes one");
  }
  const password = makePassword();
  const verifier = await makeVerifier("password", password);
  try {
    await accounts.add({ name: firstAdmin, role: "admin", limit: null, verifier });
  } catch (error) {
    if (error instanceof BargeError && error.kind === "exists") return;
    throw error;
  }
  onFirstAccount(firstAdmin, { password });
}
