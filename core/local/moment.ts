/**
 * What those look up together who check something under one write lock: nothing of it can change
 * until the lock is given back, and so one look serves them all.
 */
import type { Account } from "../storage/account.ts";
import type { Held } from "./ledger/reservation.ts";
import type { Parts } from "./parts.ts";

/** A login whose account is looked up. */
export interface Actor {
  /** Returns the account as it is now. @throws {BargeError} when the login has ended */
  accountNow(): Account;
}

export class Moment {
  readonly #held: ReadonlySet<Held>;
  readonly #accounts = new Map<Actor, Account>();

  /** @param uploads those that will be asked about */
  constructor({ arrivals }: Parts, uploads: readonly Held[]) {
    this.#held = arrivals.stillHeld(uploads);
  }

  /** Is an upload still its holder's, and to the same path? */
  holds(upload: Held): boolean {
    return this.#held.has(upload);
  }

  /** @throws {BargeError} as {@link Actor.accountNow} */
  account(session: Actor): Account {
    const known = this.#accounts.get(session);
    if (known) return known;
    const account = session.accountNow();
    this.#accounts.set(session, account);
    return account;
  }
}
