/** Accounts that strangers register, within the limits that all nodes share. */
import { counted } from "../../counted.ts";
import { BargeError } from "../../error.ts";
import { network } from "../../net/address.ts";
import { formatLimit } from "../../size.ts";
import type { RegisterLimits } from "../../storage/accounts.ts";
import { maxRegisteredAccounts } from "../../storage/bounds.ts";
import type { Statements } from "../database/postgres.ts";

/** The most rows of attempts to register; the oldest are deleted first. */
const maxTries = 20_000;

/** Counts an attempt to register, if the address has one left. @returns the id of the attempt */
export async function beginRegistration(
  tx: Statements,
  host: string,
  { perAddress }: RegisterLimits,
): Promise<number> {
  const address = network(host);
  await tx.all("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", `register ${address}`);
  const [{ tries }] = await tx.all<{ tries: number }>(
    `SELECT count(*) AS tries FROM registration
     WHERE address = $1 AND at > now_ms() - 3600000`,
    address,
  );
  if (perAddress !== null && tries >= perAddress) {
    throw refuse(`more than ${perAddress} tries to register from this address in an hour`, {
      hint: "try again in an hour, or ask the server's operator for an account",
    });
  }
  const [{ id }] = await tx.all<{ id: number }>(
    "INSERT INTO registration (address) VALUES ($1) RETURNING id",
    address,
  );
  await tx.all(
    "DELETE FROM registration WHERE at <= now_ms() - 3600000 OR id <= $1::bigint",
    id - maxTries,
  );
  return id;
}

/** Records the new account of an attempt. @throws {BargeError} `refused` beyond a limit */
export async function endRegistration(
  tx: Statements,
  attempt: number,
  account: number,
  limit: number | null,
  limits: RegisterLimits,
): Promise<void> {
  const [{ accounts, hour }] = await tx.all<{ accounts: number; hour: number }>(
    `SELECT (SELECT count(*) FROM account WHERE granted IS NOT NULL) AS accounts,
       (SELECT count(*) FROM registration WHERE made AND at > now_ms() - 3600000) AS hour`,
  );
  if (limits.perHour !== null && hour >= limits.perHour) {
    throw refuse(`this server lets ${counted(limits.perHour, "account")} register in an hour`, {
      hint: "try again in an hour",
    });
  }
  if (accounts >= maxRegisteredAccounts) {
    throw refuse(`this server has ${maxRegisteredAccounts} accounts that registered`, {
      hint: "ask its operator for an account",
    });
  }
  await tx.all("UPDATE registration SET made = true WHERE id = $1", attempt);
  await grant(tx, account, limit, limits.total);
}

/** Records the quota of an account that registered. @throws {BargeError} `refused` beyond `total` */
export async function grant(
  tx: Statements,
  account: number,
  limit: number | null,
  total: number | null,
): Promise<void> {
  const [{ bytes }] = await tx.all<{ bytes: number }>(
    "SELECT coalesce(sum(granted), 0)::bigint AS bytes FROM account WHERE id <> $1",
    account,
  );
  if (total !== null && (limit === null || bytes + limit > total)) {
    throw refuse(
      `accounts that registered have at most ${formatLimit(total)} together on this server`,
      { hint: "ask for less, or have its operator set the quota: `barge quota set`" },
    );
  }
  await tx.all("UPDATE account SET granted = $2::bigint WHERE id = $1", account, limit ?? 0);
}

function refuse(why: string, { hint }: { readonly hint: string }): BargeError {
  return new BargeError("refused", why, { op: "register", hint });
}
