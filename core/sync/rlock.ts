/**
 * A lock that its owner may take again, and gives back as often, as Python's `threading.RLock`.
 *
 * Memory: that of Permits with one permit, then three words: the owner's name (agent.ts; 0: nobody)
 * and how often it is held. Only the owner writes them, between taking the permit and giving it
 * back. The lock goes to those who wait in the order of their coming.
 *
 * The owner is an agent: an isolate. Its async tasks are one owner, so an RLock keeps them apart
 * from other isolates and never from each other; between tasks of one isolate use a Lock. A worker
 * that is terminated leaves it locked for good.
 */
import { agentWords, sign, signedHere, unsign } from "./agent.ts";
import type { Handle } from "./handle.ts";
import { holding } from "./hold.ts";
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
export class RLock {
  readonly #permits: Permits<"RLock">;
  readonly #owner: number;
  readonly #depth: number;

  /** @param permits only for {@link attach} */
  constructor(
    options: RoomOptions = {},
    permits: Permits<"RLock"> = Permits.make("RLock", 1, options.waiters, state),
  ) {
    this.#permits = permits;
    this.#owner = permits.own;
    this.#depth = permits.own + agentWords;
  }

  /** The same lock, in another isolate. @throws TypeError where it is no RLock's handle */
  static attach(handle: Handle<"RLock">): RLock {
    return new RLock({}, Permits.attach("RLock", handle, state));
  }

  get handle(): Handle<"RLock"> {
    return this.#permits.handle;
  }

  /**
   * Takes the lock, once more if this agent has it, blocking the isolate while others do.
   *
   * @returns false when the timeout has passed
   * @throws RangeError for a negative timeout but -1, which is none, and for one without blocking
   */
  acquire(options: AcquireOptions = {}): boolean {
    const until = lockDeadline(options);
    if (this.isOwned()) return this.#deepen();
    return this.#permits.acquire(until) && this.#own(1);
  }

  /**
   * Takes the lock, once more if this agent has it, without blocking the isolate.
   *
   * @returns false when the timeout has passed
   * @throws RangeError for a negative timeout but -1; the signal's reason, when it is aborted
   */
  async acquireAsync({ timeout, signal }: AsyncOptions = {}): Promise<boolean> {
    const until = lockDeadline({ timeout });
    signal?.throwIfAborted();
    if (this.isOwned()) return this.#deepen();
    return await this.#permits.acquireAsync(until, signal) && this.#own(1);
  }

  /** Gives it back once; the last time, to the first who waits. @throws Error unless it is ours */
  release(): void {
    if (!this.isOwned()) throw new Error("can't release an RLock that this agent does not hold");
    const depth = this.recursionCount() - 1;
    if (depth === 0) this.#disown();
    else this.#permits.words[this.#depth] = depth;
  }

  /** Does somebody have it? */
  locked(): boolean {
    return this.#permits.free === 0;
  }

  /** Has this agent got it? */
  isOwned(): boolean {
    return signedHere(this.#permits.words, this.#owner);
  }

  /** How often this agent has it. */
  recursionCount(): number {
    return this.isOwned() ? this.#permits.words[this.#depth]! : 0;
  }

  /** Takes the lock until the end of the block: `using _ = lock.hold()`. */
  hold(): Disposable {
    this.acquire();
    return holding(() => this.release());
  }

  /** As {@link hold}, without blocking. @throws the signal's reason, when it is aborted */
  async holdAsync({ signal }: Pick<AsyncOptions, "signal"> = {}): Promise<Disposable> {
    await this.acquireAsync({ signal });
    return holding(() => this.release());
  }

  /** Releases it wholly, for a {@link Condition}. @returns how deep it was held @throws Error */
  releaseSave(): number {
    const depth = this.recursionCount();
    if (depth === 0) throw new Error("can't release an RLock that this agent does not hold");
    this.#disown();
    return depth;
  }

  /** Undoes {@link releaseSave}. */
  acquireRestore(depth: number): void {
    this.#permits.acquire(Infinity);
    this.#own(depth);
  }

  /** Undoes {@link releaseSave} without blocking. */
  async acquireRestoreAsync(depth: number): Promise<void> {
    await this.#permits.acquireAsync(Infinity);
    this.#own(depth);
  }

  #deepen(): true {
    const { words } = this.#permits;
    words[this.#depth] = words[this.#depth]! + 1;
    return true;
  }

  #own(depth: number): true {
    this.#permits.words[this.#depth] = depth;
    sign(this.#permits.words, this.#owner);
    return true;
  }

  #disown(): void {
    unsign(this.#permits.words, this.#owner);
    this.#permits.release(1, 1);
  }
}
