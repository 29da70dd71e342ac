/** The base of locks and semaphores, whose permits can be held until the end of a block. */
import type { Handle, Kind } from "./handle.ts";
import type { AcquireOptions, AsyncOptions } from "./options.ts";
import type { Permits } from "./permits.ts";

export abstract class Holdable<K extends Kind> {
  protected readonly permits: Permits<K>;

  protected constructor(permits: Permits<K>) {
    this.permits = permits;
  }

  get handle(): Handle<K> {
    return this.permits.handle;
  }

  abstract acquire(options?: AcquireOptions): boolean;
  abstract acquireAsync(options?: AsyncOptions): Promise<boolean>;
  abstract release(): void;

  /** Returns whether the lock is held; for a semaphore, whether no permit is free. */
  locked(): boolean {
    return this.permits.free === 0;
  }

  /** Acquires the lock or a permit until the end of the block: `using _ = lock.hold()`. */
  hold(): Disposable {
    this.acquire();
    return this.#releaser();
  }

  /**
   * Acquires the lock or a permit until the end of the block, without blocking the isolate.
   *
   * @throws the reason of an aborted signal
   */
  async holdAsync({ signal }: Pick<AsyncOptions, "signal"> = {}): Promise<Disposable> {
    await this.acquireAsync({ signal });
    return this.#releaser();
  }

  #releaser(): Disposable {
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.release();
      },
    };
  }
}
