/**
 * How many connections there are: in all, from one address, of one account, over all workers.
 *
 * The counts lie in memory that the workers share: a row for each worker, which it alone writes, so
 * that one that dies takes its counts along (the next one clears the row). An address or account is
 * counted in a slot chosen by a keyed digest: the memory is bounded, and in the rare case that two
 * share a slot, they share the limit. A row: the total, then slots of addresses, of accounts, and of
 * what listens for either (FTP's data ports).
 *
 * Invariants: who enters is counted first and then compared, so that workers that race may both
 * refuse the last place, and never both give it; a place is given back exactly once.
 *
 * Loopback is not counted as an address, as in account/bans.ts: it is no single peer.
 */
import { createHmac, randomBytes } from "node:crypto";
import { isLoopback, network } from "../net/address.ts";

const slots = 1 << 15;
const rowLength = 1 + 3 * slots;

/** What the operator allows; 0: no limit. */
export interface Limits {
  readonly connections: number;
  readonly perAddress: number;
  readonly perAccount: number;
}

export const defaultLimits: Limits = { connections: 4096, perAddress: 256, perAccount: 1024 };

/** The counts of all workers; to be posted to each of them. */
export interface Tally {
  readonly counts: SharedArrayBuffer;
  readonly key: Uint8Array;
}

/** @param workers how many isolates will count in it */
export function makeTally(workers: number): Tally {
  const bytes = workers * rowLength * Int32Array.BYTES_PER_ELEMENT;
  return { counts: new SharedArrayBuffer(bytes), key: new Uint8Array(randomBytes(16)) };
}

/** Gives a place back; more than once does nothing. */
export type Leave = () => void;

export class Gate {
  /** May be changed: it counts for who comes then. */
  limits: Limits;
  readonly #counts: Int32Array;
  readonly #key: Uint8Array;
  readonly #row: number;

  /**
   * @param worker which row is this isolate's, from 0: all of it is cleared
   * @param tally shared with others; undefined: there are none
   */
  constructor(limits: Limits, worker = 0, tally: Tally = makeTally(1)) {
    this.limits = limits;
    this.#counts = new Int32Array(tally.counts);
    this.#key = tally.key;
    this.#row = worker * rowLength;
    for (let i = 0; i < rowLength; i++) Atomics.store(this.#counts, this.#row + i, 0);
  }

  /**
   * Lets a connection in.
   *
   * @param host the peer's numeric address, without the port; undefined for a proxy, whose clients
   *   {@link visit} one by one
   * @returns undefined where there is no place
   */
  enter(host: string | undefined): Leave | undefined {
    const all = this.#take(0, this.limits.connections);
    if (!all || host === undefined) return all;
    const one = this.visit(host);
    if (!one) {
      all();
      return undefined;
    }
    return () => {
      one();
      all();
    };
  }

  /** Takes a place of an address alone. @returns undefined where there is none */
  visit(host: string): Leave | undefined {
    const address = network(host);
    if (isLoopback(address)) return () => {};
    return this.#take(1 + this.#slot(address), this.limits.perAddress);
  }

  /** Lets a connection be an account's. @returns undefined where that has no place left */
  login(account: number): Leave | undefined {
    return this.#take(1 + slots + this.#slot(`account ${account}`), this.limits.perAccount);
  }

  /**
   * Lets an account and its address hold one more port that listens for them.
   *
   * @param host the peer's numeric address; loopback is not counted
   * @param limit how many each may hold
   * @returns undefined where either has no place left
   */
  port(account: number, host: string, limit: number): Leave | undefined {
    const mine = this.#take(1 + 2 * slots + this.#slot(`account ${account}`), limit);
    const address = network(host);
    if (!mine || isLoopback(address)) return mine;
    const one = this.#take(1 + 2 * slots + this.#slot(address), limit);
    if (!one) {
      mine();
      return undefined;
    }
    return () => {
      one();
      mine();
    };
  }

  /** How much of an account's connections are this worker's: 0 to 1. */
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
    return createHmac("sha256", this.#key).update(name).digest().readUInt32BE() % slots;
  }
}
