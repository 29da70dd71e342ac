/**
 * Plans and makes the changes of `user apply`. Passwords are hashed while planning, so that the
 * transaction is short.
 */
import { changedFields } from "../../core/storage/account_change.ts";
import { type AccountChange, defaultQuota, type NewAccount } from "../../core/storage/accounts.ts";
import { BargeError, typed } from "../../core/error.ts";
import type { Verifier } from "../../core/protocol/message.ts";
import { checkNewPassword } from "../../core/protocol/password.ts";
import { makeVerifier, matches } from "../../core/protocol/verifier.ts";
import type { AccountStores } from "./accounts.ts";
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
 * @param stores undefined: there is no database yet
 * @throws {BargeError} `usage` for a new account without a password, and a new password that is too
 *   short; `exists` for existing files of a new account
 */
export async function planSteps(
  declared: readonly Declared[],
  stores: AccountStores | undefined,
  options: PlanOptions,
): Promise<Step[]> {
  const steps: Step[] = [];
  for (const wanted of declared) steps.push(await planStep(wanted, stores, options));
  return steps;
}

async function planStep(
  wanted: Declared,
  stores: AccountStores | undefined,
  { adopt, minPassword }: PlanOptions,
): Promise<Step> {
  const { name, role, limit, entryLimit, disabled, expires, from, password, absent } = wanted;
  const existing = await stores?.accounts.find(name);
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
  if (!existing && !adopt) await stores?.accounts.needFreeHome(name);
  const old = existing && await stores?.logins.byPassword(name);
  const facts = { role, limit, entryLimit, disabled, expires, from };
  const declared = { ...facts, ...await newVerifier(old?.verifier, wanted, minPassword) };
  if (!existing) return { name, action: "created", changed: [], change: declared };
  const change = changedFields(existing, declared) ?? {};
  const changed = Object.keys(change).map((field) => fieldNames[field as keyof AccountChange]);
  return { name, action: changed.length > 0 ? "changed" : "unchanged", changed, change };
}

const fieldNames = {
  role: "role",
  limit: "quota",
  entryLimit: "entries",
  disabled: "disabled",
  expires: "expires",
  from: "from",
  verifier: "password",
  totp: "totp",
} satisfies Record<keyof AccountChange, string>;

/** Returns the verifier of a changed password. For the same password, a new verifier would end all tokens. */
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
 * Makes the changes of all steps, or none.
 *
 * @param options.adopt give new accounts the existing files in homes/NAME
 * @returns the new places of the homes of removed accounts, by name
 */
export async function applySteps(
  steps: readonly Step[],
  { accounts }: AccountStores,
  { adopt }: { readonly adopt: boolean },
): Promise<Map<string, string>> {
  const only = (action: Step["action"]) => steps.filter((step) => step.action === action);
  const removed = await accounts.apply({
    added: only("created").map(({ name, change }) => newAccount(name, change, adopt)),
    changed: only("changed"),
    removed: only("removed").map(({ name }) => name),
  });
  const homes = [...removed].flatMap(([name, { kept }]) =>
    kept === null ? [] : [[name, kept] as const]
  );
  return new Map(homes);
}

function newAccount(name: string, change: AccountChange, adopt: boolean): NewAccount {
  const { role = "user", limit = defaultQuota(role), verifier, ...facts } = change;
  return { name, role, limit, ...facts, verifier: verifier!, adopt };
}
