/** The part of storage for second factors. The rules are in second_factor.ts. */
import type { Credential, Login } from "./account.ts";
import type { Actor } from "./audit/audit.ts";

/** A second factor to enable. */
export interface NewFactor {
  /** In base32. */
  readonly secret: string;
  /** A code of the secret, which proves that the client has it. */
  readonly code: string;
  /** The digests of the recovery codes. */
  readonly recovery: readonly string[];
}

/** A change of the second factor by its account, for its record and its event. */
export type FactorChange = { readonly totp: boolean } | { readonly recoveryCodes: true };

/** The result of enabling: the credential of the password from now on, or why nothing was stored. */
export type Enabled = Credential | "ended" | "exists" | "wrong";

/** Each change adds its record to the audit trail, with the actor `by`, in the same transaction. */
export interface FactorStore {
  /**
   * Uses a code of an account's second factor, by the clock of storage. Each code is right once.
   *
   * @returns whether it is right; false also for an account without a second factor
   */
  use(account: number, code: string): Promise<boolean>;
  /**
   * Gives a login's account a second factor. In the same step, all logins that rest on its password alone
   * end, also at the web page; tokens and keys stay.
   *
   * @returns `ended` when the login has ended, `exists` when the account has a second factor, `wrong` for a code
   *   that is not one of the secret now
   */
  enable(login: Login, factor: NewFactor, by: Actor): Promise<Enabled>;
  /** Removes the second factor of a login's account. @returns false when the login has ended */
  disable(login: Login, by: Actor): Promise<boolean>;
  /**
   * Replaces the recovery codes of a login's account.
   *
   * @param digests those of the new codes
   * @returns false when the login has ended, or the account has no second factor
   */
  setRecoveryCodes(login: Login, digests: readonly string[], by: Actor): Promise<boolean>;
  /** Returns the number of unused recovery codes of an account. */
  recoveryCodes(account: number): Promise<number>;

  /** Returns a text as a ticket, valid at all workers and nodes: see ticket.ts. */
  makeTicket(text: string): Promise<string>;
  /** Returns the text of a ticket; undefined for one that is not valid, or has ended. */
  openTicket(ticket: string): Promise<string | undefined>;
}
