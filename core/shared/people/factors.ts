/**
 * Second factors, as columns of the accounts' rows: see core/storage/factors.ts. The secret is sealed with the
 * key of the cluster, under the account's name.
 */
import type { Login } from "../../storage/account.ts";
import type { Actor } from "../../storage/audit/audit.ts";
import { factorChanged } from "../../storage/audit/entries.ts";
import { accountChangedEvent } from "../../storage/event_facts.ts";
import type { Enabled, FactorChange, FactorStore, NewFactor } from "../../storage/factors.ts";
import { joinItems, splitItems } from "../../storage/scope.ts";
import type { SecondFactor } from "../../storage/second_factor.ts";
import { makeTicket, openTicket } from "../../storage/ticket.ts";
import type { Parts } from "../bucket/parts.ts";
import { recording } from "../database/audit_rows.ts";
import type { Statements } from "../database/postgres.ts";
import type { Secrets } from "../database/secrets.ts";
import { accountOfLogin } from "../tree/account_rows.ts";

interface FactorRow {
  readonly name: string;
  readonly secret: string | null;
  readonly step: number | null;
  readonly recovery: string | null;
  /** The time of the database, in ms since 1970. */
  readonly now: number;
}

/** A transaction that has locked the row of an account. */
interface FactorStep {
  readonly tx: Statements;
  readonly row: FactorRow;
  /** Adds the record and the event of the change. */
  readonly note: (change: FactorChange) => Promise<void>;
}

export class SharedFactors implements FactorStore {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async use(account: number, code: string): Promise<boolean> {
    const { afterCode } = await import("../../storage/second_factor.ts");
    return await this.#parts.db.transaction(async (tx) => {
      const row = await lock(tx, account);
      const factor = row && this.#factorOf(row);
      const used = factor && afterCode(factor, code, row!.now);
      if (used) await this.#write(tx, account, row!.name, used);
      return used !== undefined;
    });
  }

  async enable(
    login: Login,
    { secret, code, recovery }: NewFactor,
    by: Actor,
  ): Promise<Enabled> {
    const { afterCode } = await import("../../storage/second_factor.ts");
    const { id } = login;
    const enabled = await this.#change(login, by, async ({ tx, row, note }): Promise<Enabled> => {
      if (row.secret !== null) return "exists";
      const factor = afterCode({ secret, step: 0, recovery }, code, row.now);
      if (!factor || factor.step === 0) return "wrong";
      await this.#write(tx, id, row.name, factor);
      await tx.all("DELETE FROM web_session WHERE account = $1 AND token IS NULL", id);
      const [{ epoch }] = await tx.all<{ epoch: number }>(
        "UPDATE account SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch",
        id,
      );
      await note({ totp: true });
      return { kind: "password", epoch };
    });
    return enabled ?? "ended";
  }

  async disable(login: Login, by: Actor): Promise<boolean> {
    const disabled = await this.#change(login, by, async ({ tx, row, note }) => {
      if (row.secret === null) return true;
      await dropFactor(tx, login.id);
      await note({ totp: false });
      return true;
    });
    return disabled ?? false;
  }

  async setRecoveryCodes(login: Login, digests: readonly string[], by: Actor): Promise<boolean> {
    const replaced = await this.#change(login, by, async ({ tx, row, note }) => {
      const factor = this.#factorOf(row);
      if (!factor) return false;
      await this.#write(tx, login.id, row.name, { ...factor, recovery: digests });
      await note({ recoveryCodes: true });
      return true;
    });
    return replaced ?? false;
  }

  async recoveryCodes(account: number): Promise<number> {
    const [row] = await this.#parts.db.all<Pick<FactorRow, "recovery">>(
      "SELECT recovery_codes AS recovery FROM account WHERE id = $1",
      account,
    );
    return splitItems(row?.recovery ?? null)?.length ?? 0;
  }

  async makeTicket(text: string): Promise<string> {
    return makeTicket(await this.#ticketKey(), text, await this.#now());
  }

  async openTicket(ticket: string): Promise<string | undefined> {
    return openTicket(await this.#ticketKey(), ticket, await this.#now());
  }

  /** Runs a change by a login. @returns undefined when the login has ended */
  async #change<T>(
    login: Login,
    by: Actor,
    work: (step: FactorStep) => Promise<T>,
  ): Promise<T | undefined> {
    const { db, outbox } = this.#parts;
    return await recording(db, async (tx, record) => {
      const row = await lock(tx, login.id);
      if (!row || !await accountOfLogin(tx, login)) return undefined;
      const note = async (change: FactorChange) => {
        await record(factorChanged(row.name, change, by));
        await outbox.add(tx, () => [accountChangedEvent(row.name, change)]);
      };
      return await work({ tx, row, note });
    });
  }

  #factorOf({ name, secret, step, recovery }: FactorRow): SecondFactor | undefined {
    if (secret === null) return undefined;
    const opened = openFactorSecret(this.#parts.secrets, name, secret);
    return { secret: opened, step: step ?? 0, recovery: splitItems(recovery) ?? [] };
  }

  async #write(
    tx: Statements,
    account: number,
    name: string,
    { secret, step, recovery }: SecondFactor,
  ): Promise<void> {
    await tx.all(
      `UPDATE account SET totp_secret = $2, totp_step = $3::bigint, recovery_codes = $4
       WHERE id = $1`,
      account,
      sealFactorSecret(this.#parts.secrets, name, secret),
      step,
      recovery.length > 0 ? joinItems(recovery) : null,
    );
  }

  #ticketKey(): Promise<string> {
    return this.#parts.secrets.get("ticket");
  }

  async #now(): Promise<number> {
    return (await this.#parts.db.all<{ now: number }>("SELECT now_ms() AS now"))[0].now;
  }
}

/** Removes the second factor of an account, if it has one. */
export async function dropFactor(tx: Statements, account: number): Promise<void> {
  await tx.all(
    `UPDATE account SET totp_secret = NULL, totp_step = NULL, recovery_codes = NULL WHERE id = $1`,
    account,
  );
}

/** Returns the secret of an account's second factor as its row has it. */
export function sealFactorSecret(secrets: Secrets, account: string, secret: string): string {
  return secrets.seal(purposeOf(account), secret).toBase64();
}

/** Returns the secret of a row. @throws {BargeError} `fatal` where it was sealed with another key */
export function openFactorSecret(secrets: Secrets, account: string, sealed: string): string {
  return secrets.open(purposeOf(account), Uint8Array.fromBase64(sealed));
}

function purposeOf(account: string): string {
  return `totp ${account.toLowerCase()}`;
}

/** Locks the row of an account until the end of the transaction. */
async function lock(tx: Statements, account: number): Promise<FactorRow | undefined> {
  const [row] = await tx.all<FactorRow>(
    `SELECT name, totp_secret AS secret, totp_step AS step, recovery_codes AS recovery,
       now_ms() AS now
     FROM account WHERE id = $1 FOR NO KEY UPDATE`,
    account,
  );
  return row;
}
