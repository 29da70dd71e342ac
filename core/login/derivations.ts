/**
 * Bounds the derivations of passwords (scrypt): each takes 32 MiB and a core for about 80 ms.
 *
 * All workers together run at most `maxRunning`, and each at most `maxRunningHere`. One account and
 * one address have at most one at a time, in whichever worker. Others wait: at most `maxWaiting` in
 * each worker, taken in turn by address, the oldest first within an address. When the queue is
 * full, a newcomer takes the place of the newest of the address that has the most there, unless that
 * is its own. So a flood from one address delays its own logins, and no others.
 *
 * Loopback is no single peer (account/bans.ts): there the account is the peer.
 *
 * The shared memory has a cell for each derivation that may run, and slots for accounts and
 * addresses, chosen by a keyed digest; two that share a slot wait for each other. A cell or slot
 * holds the number of the worker that has it. A worker that starts clears those of the one before.
 */
import { createHmac } from "node:crypto";
import { BargeError } from "../error.ts";
import { isLoopback, network } from "../net/address.ts";

/** In all workers: 256 MiB. */
export const maxRunning = 8;
export const maxRunningHere = 2;
export const maxWaiting = 64;
/** Longer than a full queue takes on a slow machine, and than any client waits. */
const longestWaitMs = 120_000;
/** How long a worker trusts that it would have noticed another one's release. */
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

/** For whom a password is derived. */
export interface Applicant {
  /** The name of the account as it was given, existing or not. */
  readonly account?: string;
  /** The client's numeric address, without the port. */
  readonly host?: string;
}

interface Waiter {
  /** Whose turn it takes. */
  readonly peer: string;
  /** The slots that it needs. */
  readonly needs: readonly number[];
  start(release: () => void): void;
  leave(why: unknown): void;
}

export class Derivations {
  readonly #words: Int32Array;
  readonly #worker: number;
  #running = 0;
  #waiting = 0;
  /** Of each peer the oldest first; the peer whose turn is next comes first. */
  readonly #queues = new Map<string, Waiter[]>();
  #listening = false;

  /**
   * @param worker which of those that share the table this isolate is, from 0
   * @param table shared with others; by default there are none
   */
  constructor(worker = 0, table: SharedArrayBuffer = makeDerivationTable()) {
    this.#words = new Int32Array(table);
    this.#worker = worker + 1;
    for (let at = cells; at < this.#words.length; at++) this.#free(at);
    this.#notify();
  }

  /**
   * Runs a derivation when its turn has come. One that runs can't be stopped: it ends by itself, as
   * its costs are bounded.
   *
   * @param gone aborted when nobody waits for it any more
   * @param withinMs how long it may wait to run
   * @throws {BargeError} `unavailable` when too many wait, or it has waited for too long; why `gone`
   *   was aborted, if that was before it ran
   */
  async run<T>(
    work: () => Promise<T>,
    applicant: Applicant = {},
    gone?: AbortSignal,
    withinMs = longestWaitMs,
  ): Promise<T> {
    gone?.throwIfAborted();
    const { peer, needs } = this.#described(applicant);
    const release = this.#take(needs) ?? await this.#turn(peer, needs, gone, withinMs);
    try {
      return await work();
    } finally {
      release();
    }
  }

  async #turn(
    peer: string,
    needs: readonly number[],
    gone: AbortSignal | undefined,
    withinMs: number,
  ): Promise<() => void> {
    this.#makeRoom(peer);
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const waiter: Waiter = {
      peer,
      needs,
      start: resolve,
      leave: (why) => {
        if (this.#remove(waiter)) reject(why); // at once: its place is another's
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

  /** Starts those that can run. */
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
        const release = this.#take(waiter.needs);
        if (!release) continue;
        this.#remove(waiter);
        const rest = this.#queues.get(peer);
        if (rest) {
          this.#queues.delete(peer);
          this.#queues.set(peer, rest); // its next turn comes after everybody else's
        }
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

  /** Tries again when a worker has released something since the signal was read. */
  #listen(seen: number): void {
    if (this.#listening || this.#running >= maxRunningHere) return;
    this.#listening = true;
    const { value } = Atomics.waitAsync(this.#words, signal, seen, recheckMs);
    void Promise.resolve(value).then(() => {
      this.#listening = false;
      this.#pump();
    });
  }

  /** Takes a cell and all slots, or nothing. @returns what gives them back */
  #take(needs: readonly number[]): (() => void) | undefined {
    if (this.#running >= maxRunningHere) return undefined;
    const taken: number[] = [];
    const giveUp = () => taken.forEach((at) => this.#free(at));
    for (let at = cells; at < accounts && taken.length === 0; at++) {
      if (this.#claim(at)) taken.push(at);
    }
    if (taken.length === 0) return undefined;
    // Accounts come before addresses in all workers: of several that give up, one holds it all.
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

  /** Frees what is this worker's. */
  #free(at: number): void {
    Atomics.compareExchange(this.#words, at, this.#worker, 0);
  }

  #notify(): void {
    Atomics.add(this.#words, signal, 1);
    Atomics.notify(this.#words, signal);
  }

  #described({ account, host }: Applicant): { peer: string; needs: number[] } {
    const name = account?.toLowerCase();
    const from = host === undefined ? undefined : network(host);
    const address = from === undefined || isLoopback(from) ? undefined : from;
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
