/** Limits on registration: attempts, accounts, and bytes. */
import assert from "node:assert/strict";
import { grow } from "../../../core/session/quota.ts";
import { register } from "../../../core/login/register.ts";
import type { Store } from "../../../core/local/store.ts";
import { fails, Setup, verifier } from "../_setup.ts";

const none = { perAddress: null, perHour: null, total: null };
const ask = (store: Store, account: string, host: string, limit?: number) =>
  register(store, { verb: "register", account, verifier, limit }, host);

Deno.test("an address has five attempts an hour to register, whether they succeed or not", async () => {
  using setup = new Setup({ maxLimit: null });
  using other = setup.open();
  const host = "2001:db8::1";
  await ask(setup.store, "anna", host);
  for (let i = 0; i < 4; i++) await fails("exists", () => ask(other, "anna", `2001:db8::${i}`));
  await fails("refused", () => ask(setup.store, "ben", host), /more than 5 attempts/);
  await ask(setup.store, "ben", "192.0.2.1");
  setup.store.db.run("UPDATE registration SET at = at - 3600001");
  await ask(setup.store, "carl", host);
});

Deno.test("the number of registrations in an hour is bounded over all addresses", async () => {
  using setup = new Setup({ registering: { ...none, perHour: 3 } });
  for (const n of [1, 2, 3]) await ask(setup.store, `a${n}`, `192.0.2.${n}`);
  await fails("refused", () => ask(setup.store, "a4", "192.0.2.4"), /3 accounts register/);
  assert.equal(setup.store.accounts.find("a4"), undefined);
});

Deno.test("registered accounts share one limit of bytes, also for grow", async () => {
  using setup = new Setup({ maxLimit: 10_000, registering: { ...none, total: 10_000 } });
  const { store } = setup;
  await ask(store, "anna", "192.0.2.1", 6000);
  await fails("refused", () => ask(store, "ben", "192.0.2.1", 4001), /at most 10 kB together/);
  await ask(store, "ben", "192.0.2.1", 3000);
  const ben = setup.login("ben");
  await fails("refused", () => grow(ben, 4001), /together/);
  assert.equal((await grow(ben, 4000)).limit, 4000);
  await fails("refused", () => ask(store, "carl", "192.0.2.1", 1), /together/);
  // The operator's accounts do not count, nor removed ones.
  assert.equal((await grow(setup.user("dora", 100), 10_000)).limit, 10_000);
  store.accounts.remove("anna");
  await ask(store, "carl", "192.0.2.1", 6000);
});
