/**
 * Limits the connections over all workers: in all, of each address and of each account.
 *
 * The counts are in memory that the workers share. Each worker writes its own row only; a worker that
 * replaces a dead one clears its row. A row holds the total, then slots of addresses, of accounts, and of
 * both for FTP's data ports. A keyed digest chooses the slot, so that the memory is bounded; two addresses
 * or accounts with the same slot, which is rare, share the limit. Loopback is not counted as an address,
 * since many clients may share it (local/account/bans.ts).
 *
 * Invariants: a connection is counted before the count is compared, so that workers that race for the
 * last place may both refuse it, but never both give it. A place is given back exactly once.
 */
import { createHmac, randomBytes } from "node:crypto";
import { isLoopback, network } from "../net/address.ts";

const slots = 1 << 15;
const rowLength = 1 + 3 * slots;
const maxKnownSlots = 1024;

/** The operator's limits; 0: no limit. */
export interface Limits {
  readonly connections: number;
  readonly perAddress: number;
  readonly perAccount: number;
}

export const defaultLimits: Limits = { connections: 4096, perAddress: 256, perAccount: 1024 };

/** The counts of all workers, to be posted to each of them. */
export interface Tally {
  readonly counts: SharedArrayBuffer;
  readonly key: Uint8Array;
}

/** Allocates the counts. @param workers the number of isolates that share them */
export function makeTally(workers: number): Tally {
  const bytes = workers * rowLength * Int32Array.BYTES_PER_ELEMENT;
  return { counts: new SharedArrayBuffer(bytes), key: new Uint8Array(randomBytes(16)) };
}

/** Gives a place back; later calls do nothing. */
export type Leave = () => void;

export class Gate {
  /** The operator's limits. A change applies to later connections. */
  limits: Limits;
  readonly #counts: Int32Array;
  readonly #key: Uint8Array;
  readonly #row: number;
  /** The slots of recent names: each request asks for that of its account. */
  readonly #slots = new Map<string, number>();

  /**
   * @param worker the row of this isolate, from 0, which is cleared
   * @param tally shared with other isolates; by default this one counts alone
   */
  constructor(limits: Limits, worker = 0, tally: Tally = makeTally(1)) {
    this.limits = limits;
    this.#counts = new Int32Array(tally.counts);
    this.#key = tally.key;
    this.#row = worker * rowLength;
    for (let i = 0; i < rowLength; i++) Atomics.store(this.#counts, this.#row + i, 0);
  }

  /**
   * Takes a place for a connection.
   *
   * @param host the peer's numeric address, without the port; undefined for a proxy, whose clients are
   *   counted by {@link visit}
   * @returns undefined if a limit is reached
   */
  enter(host: string | undefined): Leave | undefined {
    const total = this.#take(0, this.limits.connections);
    return total && host !== undefined ? both(total, this.visit(host)) : total;
  }

  /** Takes a place of an address alone. @returns undefined if its limit is reached */
  visit(host: string): Leave | undefined {
    const address = network(host);
    if (isLoopback(address)) return () => {};
    return this.#take(1 + this.#slot(address), this.limits.perAddress);
  }

  /** Takes a place of an account. @returns undefined if its limit is reached */
  login(account: number): Leave | undefined {
    return this.#take(1 + slots + this.#slot(`account ${account}`), this.limits.perAccount);
  }

  /**
   * Takes a place for a port that listens for an account and its address.
   *
   * @param host the peer's numeric address; loopback is not counted
   * @param limit number of ports of each
   * @returns undefined if either's limit is reached
   */
  port(account: number, host: string, limit: number): Leave | undefined {
    const own = this.#take(1 + 2 * slots + this.#slot(`account ${account}`), limit);
    const address = network(host);
    if (!own || isLoopback(address)) return own;
    return both(own, this.#take(1 + 2 * slots + this.#slot(address), limit));
  }

  /** Returns the share of an account's connections that this worker has, 0 to 1. */
  share(account: number): number {
    const column = 1 + slots + this.#slot(`account ${account}`);
    return Atomics.load(this.#counts, this.#row + column) / Math.max(1, this.#sum(column));
  }

  #take(column: number, limit: number): Leave | undefined {
    Atomics.add(this.#counts, this.#row + column, 1);
    let taken = true;
    const leave = () => {
      if (taken) Atomics.sub(this.#counts, this.#row + column, 1);
      taken = false;
    };
    if (limit === 0 || this.#sum(column) <= limit) return leave;
    leave();
    return undefined;
  }

  #sum(column: number): number {
    let sum = 0;
    for (let i = column; i < this.#counts.length; i += rowLength) {
      sum += Atomics.load(this.#counts, i);
    }
    return sum;
  }

  #slot(name: string): number {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot = createHmac("sha256", this.#key).update(name).digest().readUInt32BE() % slots;
    if (this.#slots.size >= maxKnownSlots) this.#slots.clear();
    this.#slots.set(name, slot);
    return slot;
  }
}

/** Joins two places into one. Gives the first one back if the second is missing. */
function both(first: Leave, second: Leave | undefined): Leave | undefined {
  if (!second) {
    first();
    return undefined;
  }
  return () => {
    second();
    first();
  };
}
