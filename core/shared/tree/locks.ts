/** WebDAV's locks, as rows of the database: see core/storage/locks.ts. */
import { BargeError } from "../../error.ts";
import { maxLocks } from "../../storage/bounds.ts";
import type { Lock } from "../../storage/lock.ts";
import { type LockStore, maxLockSeconds } from "../../storage/locks.ts";
import type { Place } from "../../storage/place.ts";
import type { Guard } from "../../storage/view.ts";
import { change } from "./change.ts";
import { locksIn, locksOver, untilInRow } from "./lock_rows.ts";
import type { Parts } from "../bucket/parts.ts";
import { checkGuard, runGuard } from "./view.ts";

export class SharedLocks implements LockStore {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async over(place: Place): Promise<readonly Lock[]> {
    return await locksOver(this.#parts.db, place);
  }

  async in(place: Place): Promise<readonly Lock[]> {
    return await locksIn(this.#parts.db, place);
  }

  async add(lock: Lock, guard: Guard): Promise<void> {
    await change(this.#parts.db, [lock], [lock.account], async ({ tx, view }) => {
      await checkGuard(view, guard);
      await tx.all("DELETE FROM lock WHERE until <= now_ms()");
      const { token, account, shared, deep, owner, until } = lock;
      const [{ count }] = await tx.all<{ count: number }>(
        "SELECT count(*) AS count FROM lock WHERE account = $1",
        account,
      );
      if (count >= maxLocks) {
        throw new BargeError("over-quota", `the account has ${maxLocks} locks, as many as it may`, {
          hint: `unlock some, or wait: each ends within ${maxLockSeconds / 60} minutes`,
        });
      }
      const node = await runGuard(view, () => view.node(lock));
      if (!node) throw new BargeError("not-found", "there is nothing to lock");
      await tx.all(
        `INSERT INTO lock (token, until, account, node, shared, deep, owner)
         VALUES ($1, ${untilInRow}, $4, $5, $6::boolean, $7::boolean, $8)`,
        token,
        until,
        Date.now(),
        account,
        node.id,
        shared,
        deep,
        owner,
      );
    });
  }

  async extend(until: number, guard: Guard<Lock | undefined>): Promise<Lock | undefined> {
    return await change(this.#parts.db, guard.places, [], async ({ tx, view }) => {
      const lock = await checkGuard(view, guard);
      if (!lock) return undefined;
      const sql = `UPDATE lock SET until = ${untilInRow} WHERE token = $1`;
      await tx.all(sql, lock.token, until, Date.now());
      return { ...lock, until };
    });
  }

  async remove(guard: Guard<Lock | undefined>): Promise<boolean> {
    return await change(this.#parts.db, guard.places, [], async ({ tx, view }) => {
      const lock = await checkGuard(view, guard);
      if (lock) await tx.all("DELETE FROM lock WHERE token = $1", lock.token);
      return lock !== undefined;
    });
  }
}
