/**
 * Bounds the derivations of passwords (scrypt): each takes 32 MiB and a core for about 80 ms.
 *
 * At most `maxRunning` run in all workers, and `maxRunningHere` in one. One account and one address
 * have at most one at a time, in any worker. Other derivations wait: at most `maxWaiting` in each worker,
 * which serves addresses in turn, and within an address the oldest first. If the queue is full, a new
 * derivation takes the place of the newest one of the address with the most in the queue. If that is
 * its own address, the new derivation fails. So a flood from one address delays its own logins only.
 *
 * Loopback may stand for many clients behind a tunnel (local/account/bans.ts), so clients on loopback
 * take turns by account.
 *
 * The shared memory has a cell for each derivation that may run, and slots for accounts and addresses,
 * chosen by a keyed digest; two accounts or addresses with the same slot wait for each other. A cell or
 * slot holds the number of the worker that took it. A new worker frees those of the worker it replaces.
 */
import { createHmac } from "node:crypto";
import { BargeError } from "../error.ts";
import { isLoopback, network } from "../net/address.ts";

/** The most derivations in all workers; together they take 256 MiB. */
export const maxRunning = 8;
/** The most derivations in this worker. */
export const maxRunningHere = 2;
export const maxWaiting = 64;
/** The longest wait of a derivation. A full queue takes less, even on a slow machine, and clients wait less. */
const maxWaitMs = 120_000;
/** The interval at which a worker looks for free cells and slots, in case it missed a notification. */
const recheckMs = 1000;

/** The offsets in the shared memory, in words. The first word counts notifications, the key follows. */
const signalAt = 0;
const keyWords = 4;
const cellsAt = 1 + keyWords;
const slotCount = 4096;
const accountsAt = cellsAt + maxRunning;
const addressesAt = accountsAt + slotCount;

/** Returns the memory that all workers share; to be posted to each of them. */
export function makeDerivationTable(): SharedArrayBuffer {
  const table = new SharedArrayBuffer((addressesAt + slotCount) * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(table).set(crypto.getRandomValues(new Int32Array(keyWords)), 1);
  return table;
}

/** The client that a derivation is for. */
export interface LoginClient {
  /** The name of an account, which may not exist. */
  readonly account?: string;
  /** The client's numeric address, without the port. */
  readonly host?: string;
}

interface Claim {
  /** The address or account whose turn the derivation takes. */
  readonly peer: string;
  /** The offsets of the slots that the derivation needs. */
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
    for (let at = cellsAt; at < this.#words.length; at++) this.#free(at);
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
    client: LoginClient = {},
    gone?: AbortSignal,
    withinMs = maxWaitMs,
  ): Promise<T> {
    gone?.throwIfAborted();
    const claim = this.#claimOf(client);
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
        if (this.#remove(waiter)) reject(why); // at once, since another waiter may take its place
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

  /** Makes room in the queue for a peer. @throws {BargeError} `unavailable` when the peer may get none */
  #makeRoom(peer: string): void {
    if (this.#waiting < maxWaiting) return;
    const [longest] = Array.from(this.#queues.values()).sort((a, b) => b.length - a.length);
    if ((this.#queues.get(peer)?.length ?? 0) + 1 >= longest.length) throw tooMany();
    longest.at(-1)!.leave(tooMany());
  }

  /** Starts all waiters that can run. */
  #pump(): void {
    while (this.#waiting > 0) {
      const seen = Atomics.load(this.#words, signalAt);
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
        if (queue.length > 0) this.#queues.set(peer, queue); // after the queues of the other peers
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
    const { value } = Atomics.waitAsync(this.#words, signalAt, seen, recheckMs);
    void Promise.resolve(value).then(() => {
      this.#listening = false;
      this.#pump();
    });
  }

  /** Takes a cell and all slots, or nothing. @returns a function that frees them */
  #take({ needs }: Claim): (() => void) | undefined {
    if (this.#running >= maxRunningHere) return undefined;
    const taken: number[] = [];
    const freeTaken = () => taken.forEach((at) => this.#free(at));
    for (let at = cellsAt; at < accountsAt && taken.length === 0; at++) {
      if (this.#claim(at)) taken.push(at);
    }
    if (taken.length === 0) return undefined;
    // All workers take accounts before addresses, so that of several rivals one gets all that it needs.
    for (const at of needs) {
      if (!this.#claim(at)) return void freeTaken();
      taken.push(at);
    }
    this.#running++;
    return () => {
      freeTaken();
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
    Atomics.add(this.#words, signalAt, 1);
    Atomics.notify(this.#words, signalAt);
  }

  #claimOf({ account, host }: LoginClient): Claim {
    const name = account?.toLowerCase();
    const address = host === undefined || isLoopback(network(host)) ? undefined : network(host);
    const needs = [];
    if (name) needs.push(accountsAt + this.#slot(`account ${name}`));
    if (address !== undefined) needs.push(addressesAt + this.#slot(`address ${address}`));
    return { peer: address ?? `account ${name ?? ""}`, needs };
  }

  #slot(name: string): number {
    const key = new Uint8Array(new Int32Array(this.#words.subarray(1, cellsAt)).buffer);
    return createHmac("sha256", key).update(name).digest().readUInt32BE() % slotCount;
  }
}

function tooMany(): BargeError {
  return new BargeError("unavailable", "too many clients log in at the moment", {
    op: "log in",
    hint: "try again in a moment",
  });
}
