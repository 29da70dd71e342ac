/** The rules of accounts: names, default limits, and verifiers for names that no account has. */
import { createHmac } from "node:crypto";
import { BargeError } from "../error.ts";
import type { Verifier } from "../protocol/message.ts";
import { costs } from "../protocol/scram.ts";
import type { Account } from "./account.ts";

/** The default entry limit of an account with a quota: a base, and a number for each GiB of the quota. */
const [baseEntries, entriesPerGiB] = [100_000, 10_000];

/** The shortest interval at which the uses of a login's secret are recorded, to spare the disk. */
export const useIntervalMs = 60_000;

/** The share of its quota from which an account counts as near it. */
export const nearQuotaShare = 0.9;

/**
 * Returns the default entry limit of an account with this quota in bytes; null for no limit.
 *
 * @example
 * ```ts
 * import { usualEntries } from "./account_rules.ts";
 * if (usualEntries(1_000_000) !== 100_000 || usualEntries(20 * 2 ** 30) !== 300_000) throw new Error();
 * if (usualEntries(null) !== null) throw new Error();
 * ```
 */
export function usualEntries(limit: number | null): number | null {
  return limit === null ? null : baseEntries + entriesPerGiB * Math.floor(limit / 2 ** 30);
}

/**
 * Checks that an account's name can be a folder's name and part of a URL.
 *
 * @throws {BargeError} `usage`
 */
export function checkAccountName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw new BargeError("usage", "that can't be an account's name", {
      account: name,
      path: name,
      hint: "1 to 64 of A-Z a-z 0-9 . _ - and the first a letter or a digit",
    });
  }
}

/** Returns whether an account is an admin that can log in, without an end. A server keeps one of them. */
export function isLastingAdmin(
  { role, disabled, expires }: Pick<Account, "role" | "disabled" | "expires">,
): boolean {
  return role === "admin" && !disabled && expires === null;
}

/** Returns a verifier that no password matches, always the same for a name. */
export function decoyVerifier(secret: string, name: string): Verifier {
  const bytes = (text: string) => createHmac("sha256", secret).update(text).digest();
  const salt = bytes(`salt\n${name.toLowerCase()}`).subarray(0, 16).toString("base64");
  // Clients see only the salt, so all names share the keys.
  return {
    salt,
    ...costs,
    storedKey: bytes("stored").toString("base64"),
    serverKey: bytes("server").toString("base64"),
  };
}

export function noSuchAccount(name: string): BargeError {
  return new BargeError("not-found", "there is no such account", { account: name, path: name });
}

export function accountExists(name: string): BargeError {
  return new BargeError("exists", "that account exists already", { account: name, path: name });
}

export function accountIsGone(): BargeError {
  return new BargeError("not-found", "the account is gone");
}

export function isLastAdmin(name: string): BargeError {
  return new BargeError("refused", "it is the last admin that can log in", {
    account: name,
    path: name,
    hint: "make another account an admin first: `barge user set NAME --admin`",
  });
}

export function removesLastAdmin(): BargeError {
  return new BargeError("refused", "it would remove the last admin that can log in", {
    hint: "declare another admin",
  });
}
