/**
 * A table of the TLS sessions of this worker: the session of each ticket, and the accounts that have
 * logged in with a session. A client may begin a session on one connection and resume it on another.
 * The runtime gives each worker its own key for tickets, so a worker can't resume the tickets of another
 * worker.
 *
 * The table is a hash table of a fixed size. A ticket's slot holds the 48-bit number of its session and a
 * 16-bit check of the ticket. A login's slot holds a 64-bit check of the session and the account. All of
 * these, and the positions of the slots, are keyed digests, so that clients can't choose slots. A new
 * entry replaces the old entry in its slot; the replaced session or login is then unknown.
 */
import type { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";

const slotCount = 1 << 15;
/** The number of slots for tickets, and the number of slots for logins. */
const slotsPerKind = slotCount / 2;
const sessionBits = 48n;
const sessionMask = (1n << sessionBits) - 1n;

/** The sessions of all connections; a ticket is given as a digest. */
export class Tickets {
  readonly #slots = new BigInt64Array(slotCount);
  readonly #key = randomBytes(16);

  /** Returns the session of a ticket; undefined for an unknown one. */
  sessionOf(ticket: string): bigint | undefined {
    const { slot, check } = this.#place(ticket);
    const value = BigInt.asUintN(64, this.#slots[slot]);
    return value !== 0n && value >> sessionBits === check ? value & sessionMask : undefined;
  }

  /** Begins a session with its first ticket. */
  begin(ticket: string): bigint {
    const session = this.#digest(`session ${ticket}`).readBigUInt64BE() & sessionMask;
    this.renew(ticket, session);
    return session;
  }

  /** Records another ticket of a session. */
  renew(ticket: string, session: bigint): void {
    const { slot, check } = this.#place(ticket);
    this.#slots[slot] = BigInt.asIntN(64, check << sessionBits | session);
  }

  /** Records that an account has logged in with a session. */
  login(session: bigint, account: number): void {
    const { slot, mark } = this.#mark(session, account);
    this.#slots[slot] = mark;
  }

  /** Returns whether the account has logged in with the session. */
  hasLoggedIn(session: bigint, account: number): boolean {
    const { slot, mark } = this.#mark(session, account);
    return this.#slots[slot] === mark;
  }

  #place(ticket: string): { slot: number; check: bigint } {
    const digest = this.#digest(`ticket ${ticket}`);
    return { slot: digest.readUInt32BE() % slotsPerKind, check: BigInt(digest.readUInt16BE(8)) };
  }

  #mark(session: bigint, account: number): { slot: number; mark: bigint } {
    const digest = this.#digest(`account ${account} ${session}`);
    return {
      slot: slotsPerKind + digest.readUInt32BE() % slotsPerKind,
      mark: digest.readBigInt64BE(8),
    };
  }

  #digest(text: string): Buffer {
    return createHmac("sha256", this.#key).update(text).digest();
  }
}
