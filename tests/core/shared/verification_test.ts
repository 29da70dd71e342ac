/** The state of the regular verification, which nodes share; and the bounds of the audit trail. */
import assert from "node:assert/strict";
import { sharedVerification } from "../../../core/shared/verify/state.ts";
import { auditBounds } from "../../../core/storage/audit/audit.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";

const hourMs = 3_600_000;
const counts = { files: 3, bytes: 30, bad: 1 };

Deno.test({
  name: "one node at a time has the round, until its lease ends",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const { db } = setup.first;
    const [a, b] = [sharedVerification(db, "a"), sharedVerification(db, "b")];
    assert.equal((await a.take(hourMs))!.position, "");
    assert.equal(await b.take(hourMs), undefined);
    assert.equal(await a.save({ position: "7", ...counts }), true);
    assert.equal((await a.take(hourMs))!.position, "7", "it may go on itself");
    await db.all("UPDATE verification SET lease = now()");
    const taken = (await b.take(hourMs))!;
    assert.deepEqual([taken.position, taken.files, taken.bad], ["7", 3, 1]);
    assert.equal(await a.save({ position: "8", ...counts }), false);
    assert.equal(await a.finish(counts), false);
    await b.release();
    assert.equal((await a.take(hourMs))!.position, "7");
    assert.equal(await a.finish(counts), true);
    const state = await b.read();
    assert.deepEqual([state.began, state.last], [null, counts]);
    assert.equal(await b.take(hourMs), undefined, "the next one is due in an hour");
    assert.deepEqual((await b.take(0))!.position, "");
    const races = [a, sharedVerification(db, "c")].map((each) => each.take(0));
    assert.deepEqual(await Promise.all(races), [undefined, undefined]);
  },
});

Deno.test({
  name: "each class of records of the audit trail has a bound of its own",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const { people, first: { db } } = setup;
    const by = { account: "root", address: "192.0.2.1", door: "http" };
    await people.audit.add({ event: "account-changed", account: "anna", by });
    await db.all(
      `INSERT INTO audit (class, event, details, account)
       SELECT 'failure', 'login-failed', '{}', 'user' || i FROM generate_series(1, $1::integer) AS i`,
      auditBounds.failure + 500,
    );
    await people.audit.prune(90);
    const [{ n }] = await db.all<{ n: number }>(
      "SELECT count(*) AS n FROM audit WHERE class = 'failure'",
    );
    assert.equal(n, auditBounds.failure);
    assert.equal((await people.audit.list({ limit: 1, account: "anna" })).length, 1);
    assert.equal((await people.audit.list({ limit: 1, account: "user1" })).length, 0);
  },
});
