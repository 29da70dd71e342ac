/**
 * What those look up together who check something under one write lock: nothing of it can change
 * until the lock is given back, and so one look serves them all.
 */
import type { Account } from "../account/accounts.ts";
import type { Held } from "../account/reservation.ts";
import type { Session } from "./session.ts";
import type { Store } from "./store.ts";

export class Moment {
  readonly #held: ReadonlySet<Held>;
  readonly #accounts = new Map<Session, Account>();

  /** @param uploads those that will be asked about */
  constructor({ arrivals }: Store, uploads: readonly Held[]) {
    this.#held = arrivals.stillHeld(uploads);
  }

  /** Is an upload still its holder's, and to the same path? */
  holds(upload: Held): boolean {
    return this.#held.has(upload);
  }

  /** @throws {BargeError} as {@link Session.account} */
  account(session: Session): Account {
    const known = this.#accounts.get(session);
    if (known) return known;
    const account = session.account();
    this.#accounts.set(session, account);
    return account;
  }
}
