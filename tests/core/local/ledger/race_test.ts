import assert from "node:assert/strict";
import { Setup } from "../../_setup.ts";
import { runHelper } from "../_process.ts";

/** The tries of each process: half declare their size, half grow to it. */
const tries = "40";

Deno.test("processes that race for a quota get exactly the bytes that fit", async () => {
  using setup = new Setup();
  setup.user("anna", 1009); // 33 times 30, and 19 unusable bytes
  const won = await Promise.all(
    [1, 2, 3, 4].map(() => runHelper("race", setup.data, "anna", tries, "30")),
  );
  assert.equal(won.reduce((sum, n) => sum + Number(n), 0), 33, won.join());
  const { used, reserved } = setup.account("anna");
  assert.deepEqual([used, reserved], [990, 0]);
  assert.deepEqual(setup.store.ledger.wrongSums(), []);
});

Deno.test("processes that race for entries get exactly those that fit", async () => {
  using setup = new Setup();
  setup.user("anna");
  setup.store.accounts.change("anna", { entryLimit: 33 });
  const won = await Promise.all(
    [1, 2, 3, 4].map(() => runHelper("race", setup.data, "anna", tries, "0")),
  );
  assert.equal(won.reduce((sum, n) => sum + Number(n), 0), 33, won.join());
  assert.equal(setup.account("anna").entries, 33);
  assert.deepEqual(setup.store.ledger.wrongSums(), []);
});

Deno.test("one of four uploads gets the last byte", async () => {
  using setup = new Setup();
  setup.user("anna", 1);
  const won = await Promise.all(
    [1, 2, 3, 4].map(() => runHelper("race", setup.data, "anna", "2", "1")),
  );
  assert.equal(won.reduce((sum, n) => sum + Number(n), 0), 1, won.join());
});
