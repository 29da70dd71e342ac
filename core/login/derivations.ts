/**
 * Bounds the derivations of passwords (scrypt): each takes 32 MiB and a core for about 80 ms.
 *
 * At most `maxRunning` run in all workers, and `maxRunningHere` in one. One account and one address
 * have at most one at a time, in any worker. Others wait: at most `maxWaiting` in each worker, which
 * serves addresses in turn, the oldest first within an address. If the queue is full, a new one
 * replaces the newest of the address that has the most there, unless that is its own. So a flood from
 * one address delays its own logins only.
 *
 * Loopback may be many clients (account/bans.ts): there the turns are by account.
 *
 * The shared memory has a cell for each derivation that may run, and slots for accounts and addresses,
 * chosen by a keyed digest; two that share a slot wait for each other. A cell or slot holds the number
 * of its worker. A worker that starts frees those of its predecessor.
 */
import { createHmac } from "node:crypto";
import { BargeError } from "../error.ts";
import { isLoopback, network } from "../net/address.ts";

/** The most derivations in all workers, which take 256 MiB. */
export const maxRunning = 8;
export const maxRunningHere = 2;
export const maxWaiting = 64;
/** More than a full queue takes on a slow machine, and than any client waits. */
const maxWaitMs = 120_000;
/** The interval at which a worker checks for cells of other workers, beside their notices. */
const recheckMs = 1000;

const signal = 0;
const keyWords = 4;
const cells = 1 + keyWords;
const slots = 4096;
const accounts = cells + maxRunning;
const addresses = accounts + slots;

/** Returns the memory that all workers share; to be posted to each of them. */
export function makeDerivationTable(): SharedArrayBuffer {
  const table = new SharedArrayBuffer((addresses + slots) * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(table).set(crypto.getRandomValues(new Int32Array(keyWords)), 1);
  return table;
}

/** The client of a derivation. */
export interface Applicant {
  /** The name of an account, which may not exist. */
  readonly account?: string;
  /** The client's numeric address, without the port. */
  readonly host?: string;
}

/** The address or account whose turn a derivation takes, and the slots that it needs. */
interface Claim {
  readonly peer: string;
  readonly needs: readonly number[];
}

interface Waiter extends Claim {
  start(release: () => void): void;
  leave(why: unknown): void;
}

export class Derivations {
  readonly #words: Int32Array;
  readonly #worker: number;
  #running = 0;
  #waiting = 0;
  /** The waiters of each peer, the oldest first; the peer whose turn is next comes first. */
  readonly #queues = new Map<string, Waiter[]>();
  #listening = false;

  /**
   * @param worker the number of this isolate, from 0
   * @param table shared with other isolates; by default with none
   */
  constructor(worker = 0, table: SharedArrayBuffer = makeDerivationTable()) {
    this.#words = new Int32Array(table);
    this.#worker = worker + 1;
    for (let at = cells; at < this.#words.length; at++) this.#free(at);
    this.#notify();
  }

  /**
   * Runs a derivation when its turn has come. One that runs can't be stopped.
   *
   * @param gone aborted when the client has left
   * @param withinMs the most milliseconds to wait before it runs
   * @throws {BargeError} `unavailable` when too many wait, or it has waited for too long; the reason of
   *   `gone`, if that is aborted before it runs
   */
  async run<T>(
    work: () => Promise<T>,
    applicant: Applicant = {},
    gone?: AbortSignal,
    withinMs = maxWaitMs,
  ): Promise<T> {
    gone?.throwIfAborted();
    const claim = this.#claimOf(applicant);
    const release = this.#take(claim) ?? await this.#turn(claim, withinMs, gone);
    try {
      return await work();
    } finally {
      release();
    }
  }

  async #turn(claim: Claim, withinMs: number, gone?: AbortSignal): Promise<() => void> {
    const { peer } = claim;
    this.#makeRoom(peer);
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const waiter: Waiter = {
      ...claim,
      start: resolve,
      leave: (why) => {
        if (this.#remove(waiter)) reject(why); // now, since another takes its place
      },
    };
    this.#waiting++;
    const queue = this.#queues.get(peer);
    if (queue) queue.push(waiter);
    else this.#queues.set(peer, [waiter]);
    const late = setTimeout(() => waiter.leave(tooMany()), withinMs);
    const stop = () => waiter.leave(gone!.reason);
    gone?.addEventListener("abort", stop, { once: true });
    this.#pump();
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      gone?.removeEventListener("abort", stop);
    }
  }

  /** @throws {BargeError} `unavailable` when there is no room for one more of this peer */
  #makeRoom(peer: string): void {
    if (this.#waiting < maxWaiting) return;
    const [longest] = Array.from(this.#queues.values()).sort((a, b) => b.length - a.length);
    if ((this.#queues.get(peer)?.length ?? 0) + 1 >= longest.length) throw tooMany();
    longest.at(-1)!.leave(tooMany());
  }

  /** Starts all waiters that can run. */
  #pump(): void {
    while (this.#waiting > 0) {
      const seen = Atomics.load(this.#words, signal);
      if (this.#startNext()) continue;
      return this.#listen(seen);
    }
  }

  #startNext(): boolean {
    for (const [peer, queue] of this.#queues) {
      for (const waiter of queue) {
        const release = this.#take(waiter);
        if (!release) continue;
        this.#remove(waiter);
        this.#queues.delete(peer);
        if (queue.length > 0) this.#queues.set(peer, queue); // its next turn is the last
        waiter.start(release);
        return true;
      }
    }
    return false;
  }

  #remove(waiter: Waiter): boolean {
    const queue = this.#queues.get(waiter.peer);
    const at = queue?.indexOf(waiter) ?? -1;
    if (!queue || at === -1) return false;
    queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(waiter.peer);
    this.#waiting--;
    return true;
  }

  /** Tries again when a worker has freed a cell or slot since the signal was read. */
  #listen(seen: number): void {
    if (this.#listening || this.#running >= maxRunningHere) return;
    this.#listening = true;
    const { value } = Atomics.waitAsync(this.#words, signal, seen, recheckMs);
    void Promise.resolve(value).then(() => {
      this.#listening = false;
      this.#pump();
    });
  }

  /** Takes a cell and all slots, or nothing. @returns a function that frees them */
  #take({ needs }: Claim): (() => void) | undefined {
    if (this.#running >= maxRunningHere) return undefined;
    const taken: number[] = [];
    const giveUp = () => taken.forEach((at) => this.#free(at));
    for (let at = cells; at < accounts && taken.length === 0; at++) {
      if (this.#claim(at)) taken.push(at);
    }
    if (taken.length === 0) return undefined;
    // All workers take accounts before addresses, so that of several rivals one gets all it needs.
    for (const at of needs) {
      if (!this.#claim(at)) return void giveUp();
      taken.push(at);
    }
    this.#running++;
    return () => {
      giveUp();
      this.#running--;
      this.#notify();
      this.#pump();
    };
  }

  #claim(at: number): boolean {
    return Atomics.compareExchange(this.#words, at, 0, this.#worker) === 0;
  }

  /** Frees a cell or slot, if this worker has it. */
  #free(at: number): void {
    Atomics.compareExchange(this.#words, at, this.#worker, 0);
  }

  #notify(): void {
    Atomics.add(this.#words, signal, 1);
    Atomics.notify(this.#words, signal);
  }

  #claimOf({ account, host }: Applicant): Claim {
    const name = account?.toLowerCase();
    const address = host === undefined || isLoopback(network(host)) ? undefined : network(host);
    const needs = [];
    if (name) needs.push(accounts + this.#slot(`account ${name}`));
    if (address !== undefined) needs.push(addresses + this.#slot(`address ${address}`));
    return { peer: address ?? `account ${name ?? ""}`, needs };
  }

  #slot(name: string): number {
    const key = new Uint8Array(new Int32Array(this.#words.subarray(1, cells)).buffer);
    return createHmac("sha256", key).update(name).digest().readUInt32BE() % slots;
  }
}

function tooMany(): BargeError {
  return new BargeError("unavailable", "too many clients log in at the moment", {
    op: "log in",
    hint: "try again in a moment",
  });
}
