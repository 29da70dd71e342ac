/** Changes of the same rows in one process share transactions. */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import type { Postgres } from "../../../core/shared/database/postgres.ts";
import { change } from "../../../core/shared/tree/change.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";

function test(name: string, fn: (setup: SharedSetup, anna: number) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !hasEngines,
    async fn() {
      await using setup = await SharedSetup.make();
      await fn(setup, await setup.addAccount("anna", null));
    },
  });
}

const place = { dir: "homes/anna", name: "a" };

/** Returns a pool of connections, and the number of its transactions so far. */
function counted(db: Postgres): { db: Postgres; transactions: () => number } {
  let transactions = 0;
  const proxy = new Proxy(db, {
    get(target, name) {
      if (name === "transaction") transactions++;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { db: proxy, transactions: () => transactions };
}

test(
  "changes of one home at the same time share transactions, and fail each by itself",
  async (setup, anna) => {
    const { db, transactions } = counted(setup.first.db);
    const names = Array.from({ length: 50 }, (_, i) => `${i}`);
    const outcomes = await Promise.allSettled(
      names.map((name, i) =>
        change(db, [{ ...place, name }], [anna], async ({ tx, accounts }) => {
          await tx.all("UPDATE account SET used = used + 1 WHERE id = $1", anna);
          if (i % 5 === 1) throw new BargeError("denied", "not this one");
          if (i % 5 === 2) await tx.all("SELECT no_such_column FROM account");
          return accounts.get(anna)!.used;
        })
      ),
    );
    const sums = outcomes.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
    assert.deepEqual(sums, Array.from({ length: 30 }, (_, i) => i), "each sees the ones before it");
    const [{ used }] = await db.all<{ used: number }>(
      "SELECT used FROM account WHERE id = $1",
      anna,
    );
    assert.equal(used, 30, "only the changes that failed were undone");
    const refused = outcomes[1];
    assert.ok(refused.status === "rejected" && refused.reason.message === "not this one");
    assert.ok(transactions() <= 4, `${transactions()} transactions`);
  },
);

test("a change that waits too long for others fails, and is not made", async (setup, anna) => {
  const { db } = setup.first;
  const hold = Promise.withResolvers<void>();
  const first = change(db, [place], [anna], () => hold.promise);
  let ran = false;
  const second = change(db, [place], [anna], () => Promise.resolve(ran = true));
  await assert.rejects(second, { kind: "unavailable", message: "the database is too busy" });
  hold.resolve();
  await first.catch(() => {/* the database has ended its idle transaction, or not yet */});
  await change(db, [place], [anna], () => Promise.resolve());
  assert.equal(ran, false);
});
