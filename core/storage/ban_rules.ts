/**
 * The rules of failed logins: the account and address that each counts against, the delay of its answer, and
 * the length of a ban.
 *
 * Each failure is answered late, and too many in an hour are followed by a ban of 5 minutes. Each further ban
 * lasts twice as long as the one before, up to a day. After a day without a ban, the next one lasts 5 minutes
 * again.
 *
 * An attacker must not be able to lock out an account's owner:
 *
 * - An address is *familiar* to an account that has logged in there in the last 90 days; loopback always
 *   is. Failures there count for the account at this address, and ban it there only. Bans of the whole
 *   address or account do not hold there.
 * - A failure elsewhere counts twice: against the address, for all accounts, and against the account, for
 *   all addresses. Each is banned by itself.
 * - Loopback itself is never banned, since all programs of this machine and all tunnels come from there.
 *   An account can be banned there, since a tunnel would otherwise allow endless guesses.
 * - A token, or a public key, can't be guessed. A wrong one counts against its address only, and a right
 *   one is refused only where the address is banned.
 * - A question without a login (a challenge without a proof, an unknown public key) counts against its
 *   address only, until the account logs in there.
 *
 * A successful login deletes the failures of its account at its address, and not those of other names, so that
 * nobody can use an account of his own to guess the passwords of others.
 *
 * A banned login is refused even with the right password, and is not recorded. Work, rows and delay are
 * the same for unknown names, which are stored as digests, since people type passwords there. Failures are
 * kept for an hour, bans for a day after their end.
 */
import { dayMs } from "../duration.ts";
import { createHmac } from "node:crypto";
import { isLoopback, network } from "../net/address.ts";
import { type Attempt, type Ban, failedAccount, maxLoginDelayMs } from "./logins.ts";

/** The time for which an address is familiar to an account after its last login from there. */
export const familiarMs = 90 * dayMs;
/** The most addresses that are familiar to one account. */
export const maxFamiliarAddresses = 64;
/** The most rows of failures, and the most rows of bans. */
export const maxFailureRows = 20_000;
const firstBanMs = 300_000;
const maxBanMs = dayMs;
const firstDelayMs = 100;

/** The account and address that failures count for; "" for all. */
export type Subject = readonly [account: string, address: string];

/** A ban as storage keeps it. */
export interface BanRow extends Ban {
  /** "" for all. */
  readonly account: string;
  readonly address: string;
}

/** An attempt as a row of failures, and the subjects that it counts for. */
export interface FailureCase {
  /** The account as events name it. */
  readonly name: string;
  /** The account as failures of it are counted. */
  readonly account: string;
  readonly address: string;
  readonly familiar: boolean;
  readonly subjects: readonly Subject[];
}

/**
 * Returns the case of an attempt. The work is the same for known and unknown names.
 *
 * @param unknown the mark of the name, should no account have it
 * @param seen the time of the account's last login at the address, in ms since 1970; 0 for never
 * @param now milliseconds since 1970
 */
export function failureCase(
  attempt: Attempt,
  unknown: string,
  seen: number,
  now: number,
): FailureCase {
  const { account, mechanism, host } = attempt;
  const name = failedAccount(attempt, unknown);
  const address = network(host);
  const familiar = isLoopback(address) || seen >= now - familiarMs;
  const anywhere: Subject = ["", address];
  const key = account?.name.toLowerCase() ?? unknown;
  if (mechanism !== "password") {
    const about = mechanism === "question" ? questionsAbout(key) : "";
    return { name, account: about, address, familiar, subjects: familiar ? [] : [anywhere] };
  }
  const subjects: Subject[] = familiar ? [[key, address]] : [anywhere, [key, ""]];
  return { name, account: key, address, familiar, subjects };
}

/** Returns the mark of an account in the rows of questions about it; no name has a colon. */
export function questionsAbout(key: string): string {
  return `:${key}`;
}

/** Returns the mark of a name that no account has: `?` and a keyed digest. */
export function unknownMark(secret: string, name: string): string {
  const digest = createHmac("sha256", secret).update(`ban\n${name.toLowerCase()}`);
  return `?${digest.digest("hex").slice(0, 12)}`;
}

/** Returns the delay of an answer, in ms. @param counts failures, of the subjects and from the address */
export function delayOf(counts: readonly number[]): number {
  return Math.min(firstDelayMs * 2 ** (Math.max(...counts) - 1), maxLoginDelayMs);
}

/** Returns the ban that follows too many failures. @param last the last ban of the same subject */
export function nextBan(
  [account, address]: Subject,
  last: Pick<BanRow, "until" | "times"> | undefined,
  now: number,
): BanRow {
  const times = last && last.until > now - dayMs ? last.times + 1 : 1;
  const until = now + Math.min(firstBanMs * 2 ** (times - 1), maxBanMs);
  return { account, address, since: now, until, times };
}

/** Returns a ban as doors list it. */
export function banOf({ account, address, since, until, times }: BanRow): Ban {
  return { account: account || null, address: address || null, since, until, times };
}

/** Returns the values that a ban's subject has in storage. @param subject as `LoginStore.liftBans` */
export function liftedValues(subject: string): readonly [account: string, address: string] {
  return [subject.toLowerCase(), subject.endsWith("/64") ? subject : network(subject)];
}
