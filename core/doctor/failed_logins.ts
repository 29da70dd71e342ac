/**
 * Checks whether all failed logins come from one address: a proxy or a NAT then hides the addresses of its
 * clients, and a ban of the address would keep out all of them.
 */
import { hourMs } from "../duration.ts";
import { existsSync } from "node:fs";
import { databaseFile } from "../local/database/database.ts";
import { queryUnchanged } from "../local/database/unchanged.ts";
import type { Verdict } from "./finding.ts";
import type { LocalSetup, SharedSetup } from "./setup.ts";

/** The least failures, and accounts, that show a pattern. */
const minFailures = 5;
const minAccounts = 3;

/** The failed logins from one address in the last hour. */
export interface Failures {
  readonly address: string;
  readonly failures: number;
  /** The number of accounts that they were for. */
  readonly accounts: number;
}

const query = (since: string) =>
  `SELECT address, count(*) AS failures, count(DISTINCT account) AS accounts
   FROM failure WHERE at > ${since} GROUP BY address ORDER BY failures DESC LIMIT 2`;

/** Judges the failed logins in the database of a data directory. @throws {BargeError} as `queryUnchanged` */
export function checkFailedLogins({ data }: LocalSetup): Verdict[] {
  if (!existsSync(`${data}/${databaseFile}`)) return [];
  const rows = queryUnchanged<Failures>(data, query("?"), Date.now() - hourMs);
  return [judgeFailures(rows)];
}

/** Judges the failed logins in the database of a cluster. @throws {BargeError} `unavailable` */
export async function checkSharedFailedLogins({ storage }: SharedSetup): Promise<Verdict[]> {
  const rows = await storage.parts.db.all<Failures>(query("now_ms() - $1::bigint"), hourMs);
  return [judgeFailures(rows)];
}

/** Judges failed logins. @param rows the addresses with the most failures first, two at most */
export function judgeFailures(rows: readonly Failures[]): Verdict {
  const [first] = rows;
  const isHidden = rows.length === 1 && first.failures >= minFailures &&
    first.accounts >= minAccounts;
  if (!isHidden) {
    return { severity: "ok", message: "No address alone has all failed logins of the last hour." };
  }
  const message =
    `All ${first.failures} failed logins of the last hour, for ${first.accounts} accounts, ` +
    `came from ${first.address}.`;
  const advice =
    "If it is a proxy, name it with --trusted-proxy (and --proxy-protocol for doors other " +
    "than HTTP); if not, it guesses passwords: `barge ban list` shows whether it is banned.";
  return { severity: "warn", message, advice };
}
