// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
/** WebDAV's locks on one machine: see core/storage/locks.ts. */
import { BargeError } from "../error.ts";
import type { Lock } from "../storage/lock.ts";
import { type LockStore, maxLockSeconds } from "../storage/locks.ts";
import type { Place } from "../storage/place.ts";
import type { Guard } from "../storage/view.ts";
import type { Commits } from "./commit.ts";
import { maxLocks } from "../storage/bounds.ts";
import type { Parts } from "./parts.ts";
import { LocalView } from "./view.ts";

export class LocalLocks implements LockStore {
  readonly #parts: Parts;
  readonly #commits: Commits;

  constructor(parts: Parts, commits: Commits) {
    this.#parts = parts;
    this.#commits = commits;
  }

  async over(place: Place): Promise<readonly Lock[]> {
    return this.#parts.locks.over(place);
  }

  async in(place: Place): Promise<readonly Lock[]> {
    return this.#parts.locks.in(place);
  }

  async add(lock: Lock, guard: Guard): Promise<void> {
    const { locks } = this.#parts;
    await this.#commits.enter(() => {
      guard.check(new LocalView(this.#parts));
      locks.expire();
      if (locks.count(lock.account) >= maxLocks) {
        throw new BargeError("over-quota", `the account has ${maxLocks} locks, as many as it may`, {
          hint: `unlock some, or wait: each ends within ${maxLockSeconds / 60} minutes`,
        });
      }
      locks.enter(lock);
    });
  }

  async extend(until: number, guard: Guard<Lock | undefined>): Promise<Lock | undefined> {
    return await this.#commits.enter(() => {
      const lock = guard.check(new LocalView(this.#parts));
      if (!lock) return undefined;
      this.#parts.locks.extend(lock.token, until);
      return { ...lock, until };
    });
  }

  async remove(guard: Guard<Lock | undefined>): Promise<boolean> {
    return await this.#commits.enter(() => {
      const lock = guard.check(new LocalView(this.#parts));
      if (lock) this.#parts.locks.remove(lock.token);
      return lock !== undefined;
    });
  }
}
