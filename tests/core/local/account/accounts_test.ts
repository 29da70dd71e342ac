import assert from "node:assert/strict";
import { challenge } from "../../../../core/login/login.ts";
import type { AccountChange } from "../../../../core/storage/accounts.ts";
import { verifierOf } from "../../../_passwords.ts";
import { fails, Setup, verifier, write } from "../../_setup.ts";

Deno.test("an account's name must be usable as a folder and in a URL", async () => {
  using setup = new Setup();
  const { accounts } = setup.store;
  const add = (name: string) => accounts.add({ name, role: "user", limit: 1, verifier });
  for (const name of ["a", "0", "A.b_c-d", "x".repeat(64)]) assert.equal(add(name).name, name);
  const bad = ["", ".", "..", ".a", "-a", "_a", "a/b", "a b", "a\n", "ä", "a\0", "x".repeat(65)];
  for (const name of bad) await fails("usage", () => add(name));
  await fails("usage", () => accounts.add({ name: "n/a", role: "user", limit: null, verifier }));
});

Deno.test("names of accounts ignore case", async () => {
  using setup = new Setup();
  const { accounts } = setup.store;
  accounts.add({ name: "Anna", role: "user", limit: null, verifier });
  await fails("exists", () => accounts.add({ name: "aNNA", role: "user", limit: 1, verifier }));
  assert.equal(accounts.get("ANNA").name, "Anna");
  assert.equal(accounts.forLogin("ANNA")?.verifier.storedKey, verifier.storedKey);
  assert.equal(accounts.count(), 1);
  await fails("not-found", () => accounts.get("bob"));
  await fails("not-found", () => accounts.change("bob", {}));
  await fails("not-found", () => accounts.remove("bob"));
});

Deno.test("a change of an account leaves the other fields", () => {
  using setup = new Setup();
  const { accounts } = setup.store;
  const change = (facts: AccountChange) => accounts.change("anna", facts).account;
  setup.user("root", null, "admin");
  const made = accounts.add({ name: "anna", role: "user", limit: 5, verifier });
  assert.deepEqual([made.limit, made.used, made.reserved, made.disabled], [5, 0, 0, false]);
  assert.deepEqual(change({ role: "admin" }), { ...made, role: "admin" });
  assert.deepEqual(change({ role: "user", limit: null }), {
    ...made,
    limit: null,
    entryLimit: null,
  });
  assert.deepEqual(change({ disabled: true, limit: 0 }), {
    ...made,
    disabled: true,
    limit: 0,
  });
  assert.deepEqual(change({ disabled: false, limit: 5 }), made);
});

Deno.test("the last admin can't be removed, unless the transaction makes another", async () => {
  using setup = new Setup();
  const { accounts, db } = setup.store;
  accounts.add({ name: "anna", role: "user", limit: null, verifier });
  accounts.change("anna", { disabled: true }); // there is no admin yet
  accounts.add({ name: "root", role: "admin", limit: null, verifier });
  await fails("refused", () => accounts.change("root", { role: "user" }), /last admin/);
  await fails("refused", () => accounts.change("root", { disabled: true }));
  await fails("refused", () => accounts.remove("root"));
  assert.equal(accounts.get("root").role, "admin");
  db.transaction(() => {
    accounts.change("root", { role: "user" });
    accounts.change("anna", { role: "admin", disabled: false });
  });
  accounts.remove("root");
  accounts.remove("anna"); // no account is left that could be locked out
  assert.equal(accounts.count(), 0);
});

Deno.test("a removed account loses its tokens and uploads, and its files are charged to nobody", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const { accounts, ledger, reservations, tokens } = setup.store;
  const { id } = await tokens.issue(setup.account("anna").id, "laptop");
  await write(anna, "/public/a", "12345");
  const { id: account } = setup.account("anna");
  const facts = { account, dir: "public", name: "b", size: 7, modified: null, holder: "h" };
  reservations.begin([{ upload: facts }]);
  accounts.remove("Anna");
  assert.equal(tokens.find(id), undefined);
  assert.deepEqual(reservations.uploads(), []);
  const row = ledger.file({ dir: "public", name: "a" });
  assert.deepEqual([row?.owner, row?.ownerName, row?.size], [null, null, 5]);
  await fails("not-found", () => tokens.issue(account, "late"), /gone/);
  await fails("denied", () => reservations.begin([{ upload: facts }]), /gone/);
  // A later account of the same name gets nothing of the former one.
  assert.notEqual(accounts.add({ name: "anna", role: "user", limit: 1, verifier }).id, account);
  assert.equal(accounts.get("anna").used, 0);
});

Deno.test("tokens are issued, found and listed; their owner or a new password ends them", async () => {
  using setup = new Setup();
  setup.user("anna");
  setup.user("bob");
  const { accounts, tokens } = setup.store;
  const [anna, bob] = [accounts.get("anna").id, accounts.get("bob").id];
  const one = await tokens.issue(anna, "one");
  const two = await tokens.issue(anna, "two".repeat(100));
  assert.match(one.token, new RegExp(`^barge_${one.id}_[A-Za-z0-9_-]{43}$`));
  assert.equal(tokens.find(one.id)?.account, anna);
  assert(!JSON.stringify(tokens.find(one.id)).includes(one.token.split("_").slice(2).join("_")));
  assert.equal(tokens.list(anna).length, 2);
  assert.equal(tokens.list(anna).find(({ id }) => id === two.id)?.label.length, 200);
  assert.equal(tokens.list(anna).find(({ id }) => id === one.id)?.used, null);
  tokens.touch(one.id, "192.0.2.7");
  const used = tokens.list(anna).find(({ id }) => id === one.id)!;
  assert(used.used! > 0);
  assert.equal(used.usedFrom, "192.0.2.7");
  assert.equal(tokens.revoke(bob, one.id), false);
  assert.equal(tokens.revoke(anna, one.id), true);
  assert.equal(tokens.find(one.id), undefined);
  const other = await tokens.issue(bob, "");
  accounts.change("anna", { limit: 5 });
  assert.equal(tokens.list(anna).length, 1);
  accounts.change("anna", { verifier: { ...verifier, salt: "AAAAAAAAAAAAAAAAAAAAAA==" } });
  assert.deepEqual(tokens.list(anna), []);
  assert(tokens.find(other.id));
});

Deno.test("a decoy looks like a verifier, and does not change", async () => {
  using setup = new Setup();
  const { accounts } = setup.store;
  const decoy = accounts.decoy("nobody");
  const real = await verifierOf("anna-secret");
  const shape = (v: typeof real) =>
    Object.entries(v).map(([k, x]) => [k, typeof x === "string" ? x.length : x]);
  assert.deepEqual(shape(decoy).sort(), shape(real).sort());
  using again = setup.open();
  assert.deepEqual(again.accounts.decoy("NObody"), decoy);
  assert.notDeepEqual(accounts.decoy("nobodz"), decoy);
  using other = new Setup();
  assert.notDeepEqual(other.store.accounts.decoy("nobody"), decoy);
});

Deno.test("an unknown name, a wrong password and a disabled account get the same answer", async () => {
  using setup = new Setup();
  setup.user("anna");
  setup.user("off");
  setup.store.accounts.change("off", { disabled: true });
  const told: string[] = [];
  for (const account of ["anna", "off", "nobody", "no/name", ""]) {
    for (const mechanism of ["password", "token"] as const) {
      const facts = { verb: "auth", mechanism, account, nonce: "bm9uY2U=" } as const;
      const asked = await challenge(setup.store, facts, "192.0.2.1");
      const proof = "A".repeat(43) + "=";
      const failure = await fails(
        "unauthenticated",
        () => asked.prove(proof, () => Promise.resolve()),
      );
      told.push(`${failure} ${failure.hint} ${failure.account} ${asked.answer.salt.length}`);
      if (mechanism === "password") assert.equal(asked.answer.n, 32768);
    }
  }
  assert.equal(new Set(told).size, 1, told.join("\n"));
});
