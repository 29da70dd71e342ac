/**
 * Which TLS sessions belong to which accounts, over all workers: a client with several connections may
 * resume on one of them what began on another, at another worker.
 *
 * A table of fixed size in shared memory. A slot is chosen by a keyed digest of the session's ticket,
 * and holds a keyed digest of the ticket with the account, written and read in one step. Who comes
 * later replaces who was there: a session that is forgotten is not resumed, and nothing worse.
 */
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import type { Tally } from "./gate.ts";

export const ticketSlots = 1 << 14;

export class Tickets {
  readonly #slots: BigInt64Array;
  readonly #key: Uint8Array;

  constructor({ tickets, key }: Tally) {
    this.#slots = new BigInt64Array(tickets);
    this.#key = key;
  }

  /** Notes that a client that is logged in as an account has a session. */
  add(ticket: string, account: number): void {
    Atomics.store(this.#slots, this.#slot(ticket), this.#mark(ticket, account));
  }

  has(ticket: string, account: number): boolean {
    return Atomics.load(this.#slots, this.#slot(ticket)) === this.#mark(ticket, account);
  }

  #slot(ticket: string): number {
    return this.#digest(`slot ${ticket}`).readUInt32BE() % ticketSlots;
  }

  #mark(ticket: string, account: number): bigint {
    return this.#digest(`account ${account} ${ticket}`).readBigInt64BE();
  }

  #digest(text: string): Buffer {
    return createHmac("sha256", this.#key).update(text).digest();
  }
}
