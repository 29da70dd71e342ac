/**
 * A reentrant lock, as Python's `threading.RLock`: its owner may acquire it repeatedly, and must
 * release it as often.
 *
 * Its memory is that of Permits with one permit, then three words: the owner's name (agent.ts; 0: none) and
 * its depth. Only the owner writes them, while it holds the permit. Waiters get the lock in the order of
 * their arrival.
 *
 * The owner is an agent, that is an isolate. Its async tasks are one owner, so an RLock does not
 * exclude them from each other; use a Lock between tasks of one isolate. A terminated worker leaves
 * the lock locked forever.
 */
import { agentWords, sign, signedHere, unsign } from "./agent.ts";
import type { Handle } from "./handle.ts";
import { Holdable } from "./holdable.ts";
import {
  type AcquireOptions,
  type AsyncOptions,
  lockDeadline,
  type RoomOptions,
} from "./options.ts";
import { Permits } from "./permits.ts";

const state = agentWords + 1;

/**
 * @example
 * ```ts
 * import { RLock } from "./mod.ts";
 * const lock = new RLock();
 * using _ = lock.hold();
 * using __ = lock.hold();
 * if (lock.recursionCount() !== 2) throw new Error("it is held twice");
 * ```
 */
export class RLock extends Holdable<"RLock"> {
  readonly #owner: number;
  readonly #depth: number;

  /** @param permits only for {@link attach} */
  constructor(
    options: RoomOptions = {},
    permits: Permits<"RLock"> = Permits.make("RLock", 1, options.waiters, state),
  ) {
    super(permits);
    this.#owner = permits.own;
    this.#depth = permits.own + agentWords;
  }

  /** Returns the same lock for another isolate. @throws TypeError for another kind of handle */
  static attach(handle: Handle<"RLock">): RLock {
    return new RLock({}, Permits.attach("RLock", handle, state));
  }

  /**
   * Acquires the lock, again if this agent holds it, blocking the isolate while another holds it.
   *
   * @returns false if the timeout has passed
   * @throws RangeError for a negative timeout other than -1 (no timeout), and for a timeout without
   *   blocking
   */
  acquire(options: AcquireOptions = {}): boolean {
    const until = lockDeadline(options);
    if (this.isOwned()) return this.#deepen();
    return this.permits.acquire(until) && this.#own(1);
  }

  /**
   * Acquires the lock, again if this agent holds it, without blocking the isolate.
   *
   * @returns false if the timeout has passed
   * @throws RangeError for a negative timeout other than -1; the reason of an aborted signal
   */
  async acquireAsync({ timeout, signal }: AsyncOptions = {}): Promise<boolean> {
    const until = lockDeadline({ timeout });
    signal?.throwIfAborted();
    if (this.isOwned()) return this.#deepen();
    return await this.permits.acquireAsync(until, signal) && this.#own(1);
  }

  /** Releases the lock once. @throws Error if this agent does not hold it */
  release(): void {
    if (!this.isOwned()) throw new Error("can't release an RLock that this agent does not hold");
    const depth = this.recursionCount() - 1;
    if (depth === 0) this.#disown();
    else this.permits.words[this.#depth] = depth;
  }

  /** Returns whether this agent holds the lock. */
  isOwned(): boolean {
    return signedHere(this.permits.words, this.#owner);
  }

  /** Returns how often this agent has acquired the lock. */
  recursionCount(): number {
    return this.isOwned() ? this.permits.words[this.#depth]! : 0;
  }

  /** Releases the lock completely, for a {@link Condition}. @returns its depth @throws Error */
  releaseSave(): number {
    const depth = this.recursionCount();
    if (depth === 0) throw new Error("can't release an RLock that this agent does not hold");
    this.#disown();
    return depth;
  }

  /** Undoes {@link releaseSave}. */
  acquireRestore(depth: number): void {
    this.permits.acquire(Infinity);
    this.#own(depth);
  }

  /** Undoes {@link releaseSave} without blocking the isolate. */
  async acquireRestoreAsync(depth: number): Promise<void> {
    await this.permits.acquireAsync(Infinity);
    this.#own(depth);
  }

  #deepen(): true {
    const { words } = this.permits;
    words[this.#depth] = words[this.#depth]! + 1;
    return true;
  }

  #own(depth: number): true {
    this.permits.words[this.#depth] = depth;
    sign(this.permits.words, this.#owner);
    return true;
  }

  #disown(): void {
    unsign(this.permits.words, this.#owner);
    this.permits.release(1, 1);
  }
}
