/**
 * Plans and makes the changes of `user apply`. Passwords are hashed while planning, so that the
 * transaction is short.
 */
import type { Accounts } from "../../core/local/account/accounts.ts";
import { type AccountChange, defaultQuota } from "../../core/storage/accounts.ts";
import { BargeError, typed } from "../../core/error.ts";
import type { Verifier } from "../../core/protocol/message.ts";
import { checkNewPassword } from "../../core/protocol/password.ts";
import { makeVerifier, matches } from "../../core/protocol/verifier.ts";
import { type AccountTables, openStore } from "./accounts.ts";
import type { Declared } from "./declared.ts";

export interface Step {
  readonly name: string;
  readonly action: "created" | "changed" | "unchanged" | "removed";
  /** The fields that change. */
  readonly changed: readonly string[];
  readonly change: AccountChange;
}

export interface PlanOptions {
  /** Give new accounts the existing files in their homes. */
  readonly adopt: boolean;
  /** The least length of a new password, in characters. */
  readonly minPassword: number;
}

/**
 * Returns the step for each declared account.
 *
 * @param accounts undefined: there is no database yet
 * @throws {BargeError} `usage` for a new account without a password, and a new password that is too
 *   short; `exists` for existing files of a new account
 */
export async function planSteps(
  declared: readonly Declared[],
  accounts: Accounts | undefined,
  options: PlanOptions,
): Promise<Step[]> {
  const steps: Step[] = [];
  for (const wanted of declared) steps.push(await planStep(wanted, accounts, options));
  return steps;
}

async function planStep(
  wanted: Declared,
  accounts: Accounts | undefined,
  { adopt, minPassword }: PlanOptions,
): Promise<Step> {
  const { name, role, limit, entryLimit, disabled, password, absent } = wanted;
  const existing = accounts?.find(name);
  if (absent) {
    return { name, action: existing ? "removed" : "unchanged", changed: [], change: {} };
  }
  if (!existing && password === undefined) {
    throw new BargeError("usage", "a new account needs a password", {
      op: "user apply",
      path: name,
      hint: "give it a password or a passwordFile",
    });
  }
  if (!existing && !adopt) accounts?.needFreeHome(name);
  const change: AccountChange = {
    ...(role !== undefined && role !== existing?.role && { role }),
    ...(limit !== undefined && limit !== existing?.limit && { limit }),
    ...(entryLimit !== undefined && entryLimit !== existing?.entryLimit && { entryLimit }),
    ...(disabled !== undefined && disabled !== (existing?.disabled ?? false) && { disabled }),
    ...await newVerifier(existing && accounts?.forLogin(name)?.verifier, wanted, minPassword),
  };
  const changed = Object.keys(change).map((field) => fieldNames[field as keyof AccountChange]);
  if (!existing) return { name, action: "created", changed: [], change };
  return { name, action: changed.length > 0 ? "changed" : "unchanged", changed, change };
}

const fieldNames = {
  role: "role",
  limit: "quota",
  entryLimit: "entries",
  disabled: "disabled",
  verifier: "password",
} satisfies Record<keyof AccountChange, string>;

/** Returns no verifier for an unchanged password: a new one would end all tokens. */
async function newVerifier(
  old: Verifier | undefined,
  { name, password }: Declared,
  minPassword: number,
) {
  if (password === undefined) return {};
  if (old && await matches("password", password, old)) return {};
  try {
    checkNewPassword(password, minPassword);
  } catch (error) {
    throw typed(error, { op: "user apply", path: name });
  }
  return { verifier: await makeVerifier("password", password) };
}

/**
 * Makes the changes of all steps, or none. Accounts are removed last, since their homes are moved on
 * disk.
 *
 * @param options.adopt give new accounts the existing files in homes/NAME
 * @returns the new places of the homes of removed accounts, by name
 */
export async function applySteps(
  steps: readonly Step[],
  { db, accounts }: AccountTables,
  { data, adopt }: { readonly data: string; readonly adopt: boolean },
): Promise<Map<string, string>> {
  db.transaction(() => {
    for (const { name, change } of only(steps, "created")) create(accounts, name, change, adopt);
    for (const { name, change } of only(steps, "changed")) accounts.change(name, change);
    checkRemovals(accounts, only(steps, "removed").map(({ name }) => name));
  });
  const keptHomes = new Map<string, string>();
  const removals = only(steps, "removed");
  if (removals.length === 0) return keptHomes;
  const { removeAccount } = await import("../../core/local/remove_account.ts");
  using store = await openStore(data, true);
  for (const { name } of removals) {
    const removed = await removeAccount(store, name, { purge: false });
    if (removed.kept !== null) keptHomes.set(name, removed.kept);
  }
  return keptHomes;
}

function only(steps: readonly Step[], action: Step["action"]): Step[] {
  return steps.filter((step) => step.action === action);
}

/** Refuses the removals that would fail later, after others were made. */
function checkRemovals(accounts: Accounts, names: readonly string[]): void {
  const all = accounts.list();
  const left = all.filter(({ name }) =>
    !names.some((removed) => removed.toLowerCase() === name.toLowerCase())
  );
  const admins = (of: typeof all) =>
    of.filter(({ role, disabled }) => role === "admin" && !disabled);
  if (left.length === 0 || admins(all).length === 0 || admins(left).length > 0) return;
  throw new BargeError("refused", "it would remove the last admin that can log in", {
    op: "user apply",
    hint: "declare another admin",
  });
}

function create(accounts: Accounts, name: string, change: AccountChange, adopt: boolean): void {
  const { role = "user", limit = defaultQuota(role), entryLimit, disabled, verifier } = change;
  const facts = { name, limit, entryLimit, verifier: verifier!, adopt };
  if (!disabled) accounts.add({ ...facts, role });
  else {
    // Disabled before it is an admin, since the last admin can't be disabled.
    accounts.add({ ...facts, role: "user" });
    accounts.change(name, { disabled });
    accounts.change(name, { role });
  }
}
