/**
 * From declared accounts to steps, and from steps to the database. The slow part, scrypt, is done
 * while planning, so that the transaction is short.
 */
import type { Accounts, Change } from "../../core/account/accounts.ts";
import { usualLimit } from "../../core/account/accounts.ts";
import { BargeError, typed } from "../../core/error.ts";
import type { Verifier } from "../../core/protocol/message.ts";
import { checkNewPassword } from "../../core/protocol/password.ts";
import { makeVerifier, matches } from "../../core/protocol/verifier.ts";
import { type OpenAccounts, openStore } from "./accounts.ts";
import type { Declared } from "./declared.ts";

export interface Step {
  readonly name: string;
  readonly action: "created" | "changed" | "unchanged" | "removed";
  /** Which fields change. */
  readonly changed: readonly string[];
  readonly change: Change;
}

export interface PlanOptions {
  /** May new accounts take existing files in their homes? */
  readonly adopt: boolean;
  /** How many characters a new password must have. */
  readonly minPassword: number;
}

/**
 * What has to be done.
 *
 * @param accounts undefined: there are none yet
 * @throws {BargeError} `usage` for a new account without a password, and a new password that is too
 *   short; `exists` for such files
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
  const there = accounts?.find(name);
  if (absent) {
    return { name, action: there ? "removed" : "unchanged", changed: [], change: {} };
  }
  if (!there && password === undefined) {
    throw new BargeError("usage", "a new account needs a password", {
      op: "user apply",
      path: name,
      hint: "give it a password or a passwordFile",
    });
  }
  if (!there && !adopt) accounts?.needFreeHome(name);
  const change: Change = {
    ...(role !== undefined && role !== there?.role ? { role } : {}),
    ...(limit !== undefined && limit !== there?.limit ? { limit } : {}),
    ...(entryLimit !== undefined && entryLimit !== there?.entryLimit ? { entryLimit } : {}),
    ...(disabled !== undefined && disabled !== (there?.disabled ?? false) ? { disabled } : {}),
    ...await newVerifier(there && accounts?.forLogin(name)?.verifier, wanted, minPassword),
  };
  const changed = Object.keys(change).map((field) => fieldNames[field as keyof Change]);
  if (!there) return { name, action: "created", changed: [], change };
  return { name, action: changed.length > 0 ? "changed" : "unchanged", changed, change };
}

const fieldNames = {
  role: "role",
  limit: "quota",
  entryLimit: "entries",
  disabled: "disabled",
  verifier: "password",
} satisfies Record<keyof Change, string>;

/** A password that is what it was is left alone: a new one would end all tokens. */
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
 * Does all steps, or none. Accounts are removed last, since their homes are moved on disk.
 *
 * @param options.adopt new accounts get the files that homes/NAME holds already
 * @returns where the homes of removed accounts are kept, by name
 */
export async function applySteps(
  steps: readonly Step[],
  { db, accounts }: OpenAccounts,
  { data, adopt }: { readonly data: string; readonly adopt: boolean },
): Promise<Map<string, string>> {
  db.transaction(() => {
    for (const { name, change } of only(steps, "created")) create(accounts, name, change, adopt);
    for (const { name, change } of only(steps, "changed")) accounts.change(name, change);
    checkRemovals(accounts, only(steps, "removed").map(({ name }) => name));
  });
  const kept = new Map<string, string>();
  const gone = only(steps, "removed");
  if (gone.length === 0) return kept;
  const { removeAccount } = await import("../../core/session/remove-account.ts");
  using store = await openStore(data, true);
  for (const { name } of gone) {
    const removed = await removeAccount(store, name, { purge: false });
    if (removed.kept !== null) kept.set(name, removed.kept);
  }
  return kept;
}

function only(steps: readonly Step[], action: Step["action"]): Step[] {
  return steps.filter((step) => step.action === action);
}

/** Homes are moved one by one, later; what would be refused then is refused now. */
function checkRemovals(accounts: Accounts, gone: readonly string[]): void {
  const all = accounts.list();
  const left = all.filter(({ name }) => !gone.some((g) => g.toLowerCase() === name.toLowerCase()));
  const admins = (of: typeof all) =>
    of.filter(({ role, disabled }) => role === "admin" && !disabled);
  if (left.length === 0 || admins(all).length === 0 || admins(left).length > 0) return;
  throw new BargeError("refused", "it would remove the last admin that can log in", {
    op: "user apply",
    hint: "declare another one",
  });
}

function create(accounts: Accounts, name: string, change: Change, adopt: boolean): void {
  const { role = "user", limit = usualLimit(role), entryLimit, disabled, verifier } = change;
  const facts = { name, limit, entryLimit, verifier: verifier!, adopt };
  if (!disabled) accounts.add({ ...facts, role });
  else {
    // Disabled before it is an admin, since the last admin can't be disabled.
    accounts.add({ ...facts, role: "user" });
    accounts.change(name, { disabled });
    accounts.change(name, { role });
  }
}
