/** The bounds on the rows that strangers who register can make. */
import assert from "node:assert/strict";
import { maxRegisteredAccounts } from "../../../core/storage/bounds.ts";
import { register } from "../../../core/login/register.ts";
import type { Store } from "../../../core/local/store.ts";
import { fails, Setup, verifier } from "../_setup.ts";

const registering = { perAddress: null, perHour: null, total: null };
const ask = (store: Store, account: string) =>
  register(store, { verb: "register", account, verifier }, "192.0.2.1");

/** A table of the numbers from 1 to the bound. */
const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)`;

Deno.test("at most 10,000 accounts that registered exist; the operator's do not count", async () => {
  using setup = new Setup({ registering });
  const { store } = setup;
  setup.user("root", null, "admin");
  assert.equal(maxRegisteredAccounts, 10_000);
  store.db.run(
    `${numbers} INSERT INTO account (name, role, salt, n, r, p, stored_key, server_key, created, granted)
     SELECT 'a' || i, 'user', '', 1, 1, 1, '', '', 1, 0 FROM n`,
    maxRegisteredAccounts - 1,
  );
  await ask(store, "anna");
  await fails("refused", () => ask(store, "ben"), /10000 accounts that registered/);
  store.accounts.remove("anna");
  await ask(store, "ben");
});

Deno.test("the attempts to register are at most 20,000 rows, the newest ones", async () => {
  using setup = new Setup({ registering });
  const { store } = setup;
  store.db.run(
    `${numbers} INSERT INTO registration (address, at) SELECT 'a' || i, ? FROM n`,
    20_000,
    Date.now(),
  );
  await ask(store, "anna");
  const row = store.db.get("SELECT count(*) AS n, min(id) AS oldest FROM registration");
  assert.deepEqual({ ...row }, { n: 20_000, oldest: 2 });
});
