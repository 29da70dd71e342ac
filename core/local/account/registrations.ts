/**
 * Limits on the accounts that clients register themselves: attempts by address, accounts by hour and in
 * all, and the total bytes of quota that `register` and `grow` may give to these accounts.
 *
 * An attempt counts for its address whatever its outcome, so that nobody can guess names by trying them. An
 * account counts as long as it exists. The row of an attempt is kept for an hour.
 */
import { hourMs } from "../../duration.ts";
import { counted } from "../../counted.ts";
import { BargeError } from "../../error.ts";
import { network } from "../../net/address.ts";
import { maxRegisteredAccounts } from "../../storage/bounds.ts";
import type { RegisterLimits } from "../../storage/accounts.ts";
import { Table } from "../database/table.ts";
import { formatLimit } from "../../size.ts";

/** The most rows of attempts; the oldest are deleted first. */
const maxAttempts = 20_000;

export class Registrations extends Table {
  /**
   * Counts an attempt, if the address has one left.
   *
   * @param host the client's numeric address
   * @returns the id of the attempt, for {@link made}
   * @throws {BargeError} `refused`
   */
  begin(host: string, { perAddress }: RegisterLimits): number {
    const address = network(host);
    return this.db.unsyncedTransaction(() => {
      const now = Date.now();
      const sql = "SELECT count(*) FROM registration WHERE address = ? AND at > ?";
      const attempts = this.db.value<number>(sql, address, now - hourMs)!;
      if (perAddress !== null && attempts >= perAddress) {
        throw refuse(`more than ${perAddress} attempts to register from this address in an hour`, {
          hint: "try again in an hour, or ask the server's operator for an account",
        });
      }
      const { id } = this.db.insert("registration", { address, at: now });
      const old = "DELETE FROM registration WHERE at <= ? OR id <= ?";
      this.db.run(old, now - hourMs, id - maxAttempts);
      return id;
    });
  }

  /**
   * Records the new account of an attempt, in the transaction that makes it.
   *
   * @param limit the account's quota in bytes; null for none
   * @throws {BargeError} `refused` beyond a limit
   */
  made(id: number, account: number, limit: number | null, limits: RegisterLimits): void {
    const { accounts, hour } = this.db.get<{ accounts: number; hour: number }>(
      `SELECT (SELECT count(*) FROM account WHERE granted IS NOT NULL) AS accounts,
       (SELECT count(*) FROM registration WHERE made = 1 AND at > ?) AS hour`,
      Date.now() - hourMs,
    )!;
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
    this.db.run("UPDATE registration SET made = 1 WHERE id = ?", id);
    this.#grant(account, limit, limits.total);
  }

  /**
   * Records the raised quota of an account that a client registered, in the same transaction. Does nothing
   * for an account that an operator made.
   *
   * @throws as {@link made}
   */
  grown(account: number, limit: number, total: number | null): void {
    const registered = "SELECT 1 FROM account WHERE id = ? AND granted IS NOT NULL";
    if (this.db.get(registered, account)) this.#grant(account, limit, total);
  }

  #grant(account: number, limit: number | null, total: number | null): void {
    const sql = "SELECT coalesce(sum(granted), 0) FROM account WHERE id <> ?";
    const others = this.db.value<number>(sql, account)!;
    if (total !== null && (limit === null || others + limit > total)) {
      throw refuse(
        `accounts that registered have at most ${formatLimit(total)} together on this server`,
        { hint: "ask for less, or have its operator set the quota: `barge quota set`" },
      );
    }
    this.db.run("UPDATE account SET granted = ? WHERE id = ?", limit ?? 0, account);
  }
}

function refuse(why: string, { hint }: { hint: string }): BargeError {
  return new BargeError("refused", why, { op: "register", hint });
}
