/** Rights in /public, and an account's changes to itself. */
import assert from "node:assert/strict";
import { copy } from "../../../core/session/copy.ts";
import { mkdir } from "../../../core/session/mkdir.ts";
import { move } from "../../../core/session/move.ts";
import { changePassword } from "../../../core/login/change_password.ts";
import { grow, quota } from "../../../core/session/quota.ts";
import { register } from "../../../core/login/register.ts";
import { remove } from "../../../core/session/remove.ts";
import { Session } from "../../../core/login/session.ts";
import { token } from "../../../core/login/token.ts";
import { begin, fails, read, request, Setup, verifier, write } from "../_setup.ts";

const folder = (path: string) => ({ verb: "mkdir" as const, path, parents: true });

function setUp() {
  const setup = new Setup();
  return {
    setup,
    anna: setup.user("anna", 1000),
    bob: setup.user("bob", 1000),
    root: setup.user("root", null, "admin"),
  };
}

Deno.test("other accounts can read and add files in /public, but not replace, move or remove them", async () => {
  const { setup, anna, bob } = setUp();
  using _ = setup;
  await write(anna, "/public/a", "anna's");
  assert.equal((await read(bob, "/public/a")).text, "anna's");
  await write(bob, "/public/b", "bob's");
  for (
    const work of [
      () => write(bob, "/public/a", "mine"),
      () => begin(bob, request("/public/a", { size: 1 })),
      () => copy(bob, "/public/b", "/public/a", "always"),
      () => move(bob, "/public/b", "/public/a", "always"),
      () => move(bob, "/public/a", "/home/a", "always"),
      () => remove(bob, "/public/a", true),
    ]
  ) await fails("denied", work, /belongs to anna/);
  assert.equal(setup.read("/public/a"), "anna's");
  await write(anna, "/public/a", "anna's own");
  await move(anna, "/public/a", "/home/a", "never");
  setup.check();
});

Deno.test("a folder with files of others can't be moved or removed", async () => {
  const { setup, anna, bob, root } = setUp();
  using _ = setup;
  await mkdir(anna, folder("/public/d/e"));
  await write(anna, "/public/d/a", "a");
  await write(bob, "/public/d/e/b", "b");
  await fails("denied", () => remove(anna, "/public/d", true), /b in it belongs to bob/);
  await fails("denied", () => move(anna, "/public/d", "/home/d", "never"));
  await fails("denied", () => remove(bob, "/public/d", true), /anna/);
  await remove(bob, "/public/d/e/b", false);
  await mkdir(bob, folder("/public/d/f")); // folders belong to no account
  await move(anna, "/public/d", "/public/x", "never");
  await write(bob, "/public/x/b", "b");
  assert.equal(await remove(root, "/public/x", true), 2);
  assert.deepEqual([setup.account("anna").used, setup.account("bob").used], [0, 0]);
});

Deno.test("a file that another account adds during a move or removal is safe", async () => {
  const { setup, anna, bob } = setUp();
  using _ = setup;
  for (let i = 0; i < 5; i++) {
    await mkdir(anna, folder("/public/d"));
    await write(anna, "/public/d/a", "a");
    const outcome = (work: Promise<unknown>) => work.then(() => "done", (error) => error.kind);
    const [wrote, removed] = await Promise.all([
      outcome(write(bob, "/public/d/b", "b")),
      outcome(remove(anna, "/public/d", true)),
    ]);
    if (wrote === "done") assert.deepEqual([removed, setup.read("/public/d/b")], ["denied", "b"]);
    else assert.deepEqual([wrote, removed], ["no-directory", "done"]);
    setup.check();
    if (setup.exists("/public/d/b")) await remove(bob, "/public/d/b", false);
  }
});

Deno.test("a file made by hand is the operator's, and admins can change it", async () => {
  const { setup, anna, root } = setUp();
  using _ = setup;
  Deno.writeTextFileSync(setup.disk("/public/hand"), "by hand");
  await fails("denied", () => write(anna, "/public/hand", "x"), /the operator/);
  await fails("denied", () => remove(anna, "/public/hand", false));
  await write(root, "/public/hand", "root's");
  await remove(root, "/public/hand", false);
});

Deno.test("files that an admin moves stay charged to their accounts", async () => {
  const { setup, anna, root } = setUp();
  using _ = setup;
  await write(anna, "/public/a", "12345");
  await move(root, "/public/a", "/home/a", "never");
  assert.equal(setup.account("anna").used, 5);
  await write(root, "/home/a", "root's");
  assert.deepEqual([setup.account("anna").used, setup.account("root").used], [0, 6]);
  setup.check();
});

Deno.test("two isolates can write to one new public name for one account at once", async () => {
  const { setup, anna } = setUp();
  using _ = setup;
  using other = setup.open();
  const too = setup.login("anna", other);
  for (let i = 0; i < 20; i++) {
    await Promise.all([write(anna, `/public/f${i}`, "1"), write(too, `/public/f${i}`, "2")]);
  }
  assert.equal(setup.account("anna").used, 20);
  setup.check();
});

Deno.test("quota: has its numbers, and can be raised up to the limit", async () => {
  const { setup, anna, root } = setUp();
  using _ = setup;
  await write(anna, "/home/a", "x".repeat(400));
  const going = await begin(anna, request("/home/b", { size: 100 }));
  assert.deepEqual(await quota(anna), {
    ...{ account: "anna", used: 400, reserved: 100, limit: 1000, left: 500 },
    ...{ entries: 2, entryLimit: 100_000 },
  });
  await going.drop();
  assert.deepEqual([(await quota(root)).limit, (await quota(root)).left], [null, null]);
  setup.store.accounts.change("anna", { limit: 300 });
  assert.equal((await quota(anna)).left, 0);
  await write(anna, "/home/a", "x".repeat(390)); // less is always allowed
  await fails("over-quota", () => write(anna, "/home/a", "x".repeat(391)));
  await fails("usage", () => grow(anna, 299));
  await fails("refused", () => grow(anna, 10_001));
  await fails("usage", () => grow(root, 10));
  assert.equal((await grow(anna, 10_000)).left, 9610);
});

Deno.test("register: makes an account where that is allowed", async () => {
  const { setup } = setUp();
  using _ = setup;
  const ask = (account: string, limit?: number) =>
    register(
      setup.store,
      { verb: "register", account, verifier, ...(limit ? { limit } : {}) },
      "127.0.0.1",
    );
  assert.deepEqual([(await ask("carl")).limit, (await ask("dora", 10_000)).limit], [1000, 10_000]);
  assert.equal(setup.account("carl").role, "user");
  await fails("exists", () => ask("CARL"));
  await fails("usage", () => ask("../x"));
  await fails("refused", () => ask("emil", 10_001));
  using closed = new Setup({ allowRegister: false });
  const request = { verb: "register", account: "carl", verifier } as const;
  await fails("refused", () => register(closed.store, request, "127.0.0.1"));
});

Deno.test("an account changes its password and its tokens", async () => {
  const { setup, anna, bob } = setUp();
  using _ = setup;
  const { id } = await token(anna, { verb: "token", action: "issue", label: "l" });
  await fails("not-found", () => token(bob, { verb: "token", action: "revoke", id }));
  const byToken = new Session(setup.store, setup.account("anna"), { kind: "token", id });
  await fails("denied", () => changePassword(byToken, verifier));
  const credential = await changePassword(anna, verifier);
  assert.equal(setup.store.tokens.find(id), undefined);
  await fails("unauthenticated", () => changePassword(byToken, verifier));
  await fails("unauthenticated", () => quota(anna));
  anna.credential = credential;
  await quota(anna);
  setup.store.accounts.change("anna", { disabled: true });
  await fails("unauthenticated", () => quota(anna));
  setup.store.accounts.remove("anna");
  await fails("unauthenticated", () => read(anna, "/public/a"));
});
