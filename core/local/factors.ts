import type { Login } from "../storage/account.ts";
import type { Actor } from "../storage/audit/audit.ts";
import { factorChanged } from "../storage/audit/entries.ts";
import { accountChangedEvent } from "../storage/event_facts.ts";
import type { Enabled, FactorChange, FactorStore } from "../storage/factors.ts";
import { joinItems, splitItems } from "../storage/scope.ts";
import type { SecondFactor } from "../storage/second_factor.ts";
import { makeTicket, openTicket } from "../storage/ticket.ts";
import type { Parts } from "./parts.ts";

interface FactorRow {
  readonly secret: string | null;
  readonly step: number | null;
  readonly recovery: string | null;
}

/** Returns the second factors on one machine. Each change is one transaction. */
export function localFactors(
  { accounts, audit, credentials, db, outbox }: Parts,
): FactorStore {
  const read = (account: number): SecondFactor | undefined => {
    const row = db.get<FactorRow>(
      `SELECT totp_secret AS secret, totp_step AS step, recovery_codes AS recovery
       FROM account WHERE id = ?`,
      account,
    );
    if (!row || row.secret === null) return undefined;
    return { secret: row.secret, step: row.step ?? 0, recovery: splitItems(row.recovery) ?? [] };
  };
  const write = (account: number, factor: SecondFactor | undefined) => {
    db.run(
      "UPDATE account SET totp_secret = ?, totp_step = ?, recovery_codes = ? WHERE id = ?",
      factor?.secret ?? null,
      factor?.step ?? null,
      factor?.recovery.length ? joinItems(factor.recovery) : null,
      account,
    );
  };
  /** Runs a change in a transaction. `note` adds its record and its event. */
  const changing = <T>(
    account: number,
    by: Actor,
    change: (note: (change: FactorChange) => void) => T,
  ): T =>
    audit.recording((record) =>
      change((made) => {
        const { name } = accounts.byId(account)!;
        record(factorChanged(name, made, by));
        outbox.add(() => [accountChangedEvent(name, made)]);
      })
    );
  const ticketKey = () => db.secret("ticket");
  return {
    async use(account, code) {
      const { afterCode } = await import("../storage/second_factor.ts");
      return db.transaction(() => {
        const factor = read(account);
        const used = factor && afterCode(factor, code, Date.now());
        if (used) write(account, used);
        return used !== undefined;
      });
    },
    async enable({ id, credential }: Login, { secret, code, recovery }, by) {
      const { afterCode } = await import("../storage/second_factor.ts");
      return changing(id, by, (note): Enabled => {
        if (!credentials.holds(id, credential)) return "ended";
        if (read(id)) return "exists";
        const factor = afterCode({ secret, step: 0, recovery }, code, Date.now());
        if (!factor || factor.step === 0) return "wrong";
        write(id, factor);
        db.run("UPDATE account SET epoch = epoch + 1 WHERE id = ?", id);
        db.run("DELETE FROM web_session WHERE account = ? AND token IS NULL", id);
        note({ totp: true });
        return { kind: "password", epoch: accounts.epoch(id)! };
      });
    },
    disable: ({ id, credential }, by) =>
      Promise.resolve(changing(id, by, (note) => {
        if (!credentials.holds(id, credential)) return false;
        if (!read(id)) return true;
        write(id, undefined);
        note({ totp: false });
        return true;
      })),
    setRecoveryCodes: ({ id, credential }, digests, by) =>
      Promise.resolve(changing(id, by, (note) => {
        const factor = credentials.holds(id, credential) ? read(id) : undefined;
        if (!factor) return false;
        write(id, { ...factor, recovery: digests });
        note({ recoveryCodes: true });
        return true;
      })),
    recoveryCodes: (account) => Promise.resolve(read(account)?.recovery.length ?? 0),
    makeTicket: (text) => Promise.resolve(makeTicket(ticketKey(), text, Date.now())),
    openTicket: (ticket) => Promise.resolve(openTicket(ticketKey(), ticket, Date.now())),
  };
}
