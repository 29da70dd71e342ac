/** Limits that are changed while the server runs. */
import assert from "node:assert/strict";
import { grow } from "../../../core/session/quota.ts";
import { fails, Setup } from "../_setup.ts";

Deno.test("changed limits hold from then on, and the others stay as they were", async () => {
  using setup = new Setup({ rateUp: 5000, rateDown: 5000 });
  const { store } = setup;
  const anna = setup.user("anna", 100);
  await fails("refused", () => grow(anna, 20_000));
  const { up, down } = store.rates;
  store.adjust({
    defaultLimit: 5,
    maxLimit: 50_000,
    banAfter: 1,
    rateUp: 5000,
    rateDown: 9000,
    limits: { connections: 1, perAddress: 0, perAccount: 0 },
  });
  assert.equal((await grow(anna, 20_000)).limit, 20_000);
  assert.equal(store.settings.defaultLimit, 5);
  assert.equal(store.settings.allowRegister, true);
  assert.equal(store.rates.up, up, "the rate keeps its state");
  assert.notEqual(store.rates.down, down);

  const leave = store.gate.enter("192.0.2.1");
  assert.equal(store.gate.enter("192.0.2.2"), undefined);
  leave!();

  const mechanism = "password";
  const attempt = { account: undefined, name: "x", mechanism, host: "192.0.2.1" } as const;
  assert.equal(store.bans.banned(attempt), false);
  store.bans.failed(attempt);
  assert.equal(store.bans.banned(attempt), true);
  assert.equal(store.bans.count(), 2);
  store.adjust({ defaultLimit: 5, maxLimit: 5, banAfter: 0 });
  assert.equal(store.bans.banned(attempt), false);
  assert.equal(store.rates.up, undefined);
});
