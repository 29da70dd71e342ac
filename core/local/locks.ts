// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
import { BargeError } from "../error.ts";
import { type LockStore, maxLockSeconds } from "../storage/locks.ts";
import type { PartsWithCommits } from "./commit.ts";
import { maxLocks } from "../storage/bounds.ts";
import { viewOf } from "./view.ts";

/** Returns WebDAV's locks on one machine. */
export function localLocks(parts: PartsWithCommits): LockStore {
  const { commits, locks } = parts;
  return {
    over: async (place) => locks.over(place),
    in: async (place) => locks.in(place),
    add: (lock, guard) =>
      commits.enter(() => {
        guard.check(viewOf(parts));
        locks.expire();
        if (locks.count(lock.account) >= maxLocks) {
          throw new BargeError(
            "over-quota",
            `the account has ${maxLocks} locks, as many as it may`,
            {
              hint: `unlock some, or wait: each ends within ${maxLockSeconds / 60} minutes`,
            },
          );
        }
        locks.enter(lock);
      }),
    extend: (until, guard) =>
      commits.enter(() => {
        const lock = guard.check(viewOf(parts));
        if (!lock) return undefined;
        locks.extend(lock.token, until);
        return { ...lock, until };
      }),
    remove: (guard) =>
      commits.enter(() => {
        const lock = guard.check(viewOf(parts));
        if (lock) locks.remove(lock.token);
        return lock !== undefined;
      }),
  };
}
