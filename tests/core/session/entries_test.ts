/** Entries: files, folders and partial uploads, counted exactly by every verb. */
import assert from "node:assert/strict";
import { copy } from "../../../core/session/copy.ts";
import { copyTree } from "../../../core/session/copy.ts";
import { mkdir } from "../../../core/session/mkdir.ts";
import { move } from "../../../core/session/move.ts";
import { recover } from "../../../core/repair/recover.ts";
import { remove } from "../../../core/session/remove.ts";
import { removeAccount } from "../../../core/local/remove_account.ts";
import type { Session } from "../../../core/login/session.ts";
import { verify } from "../../../core/repair/verify.ts";
import { begin, bytes, fails, request, Setup, upload, write } from "../_setup.ts";

const folder = (session: Session, path: string, parents = true) =>
  mkdir(session, { verb: "mkdir", path, parents });

/** A server with an account that has a small entry limit. */
function setUp(entries: number) {
  const setup = new Setup();
  const anna = setup.user("anna");
  setup.store.accounts.change("anna", { entryLimit: entries });
  return { setup, anna, count: (name = "anna") => setup.account(name).entries };
}

Deno.test("of several folders that do not all fit none is made", async () => {
  const { setup, anna, count } = setUp(2);
  using _ = setup;
  await fails("over-quota", () => folder(anna, "/home/a/b/c"), /1 more entry, 2 of 2 are taken/);
  assert.deepEqual([count(), setup.exists("/home/a")], [0, false]);
  assert.equal(await folder(anna, "/home/a/b"), true);
  assert.equal(await folder(anna, "/home/a/b"), false);
  assert.equal(count(), 2);
  await fails("no-directory", () => folder(anna, "/home/x/y", false));
  await fails("exists", () => folder(anna, "/home/a", false));
  await remove(anna, "/home/a", true);
  assert.equal(count(), 0);
  setup.check();
});

Deno.test("small files that arrive together get exactly the remaining entries", async () => {
  const { setup, anna, count } = setUp(7);
  using _ = setup;
  await write(anna, "/home/0", "old");
  const kinds = await Promise.all(
    Array.from(
      { length: 20 },
      (_, i) => write(anna, `/home/${i}`, "x").then(() => "ok", (error) => error.kind),
    ),
  );
  assert.deepEqual(kinds.filter((kind) => kind === "ok").length, 7);
  assert.deepEqual(new Set(kinds), new Set(["ok", "over-quota"]));
  assert.equal(kinds[0], "ok"); // it replaces one
  assert.deepEqual([count(), setup.staged()], [7, []]);
  setup.check();
});

Deno.test("a copy needs an entry for each file and folder", async () => {
  const { setup, anna, count } = setUp(5);
  using _ = setup;
  await folder(anna, "/home/d");
  await write(anna, "/home/d/f", "f");
  await copyTree(anna, "/home/d", "/home/e", "never");
  assert.equal(count(), 4);
  await copy(anna, "/home/d/f", "/home/f", "never");
  await fails("over-quota", () => copy(anna, "/home/d/f", "/home/g", "never"));
  await copy(anna, "/home/d/f", "/home/f", "always");
  await fails("over-quota", () => copyTree(anna, "/home/d", "/home/x", "never"));
  assert.deepEqual([count(), setup.exists("/home/x")], [5, false]);
});

Deno.test("an upload over the account's own file needs no entry until that is gone", async () => {
  const { setup, anna, count } = setUp(2);
  using _ = setup;
  await write(anna, "/home/f", "f");
  const going = await begin(anna, request("/home/f", { size: 5 }));
  assert.equal(count(), 1);
  await write(anna, "/home/g", "g");
  await fails(
    "over-quota",
    () => move(anna, "/home/f", "/home/h", "never"),
    /will replace it, and the quota has no room for both/,
  );
  await remove(anna, "/home/f", false);
  assert.equal(count(), 2); // the upload counts as one
  await fails("over-quota", () => write(anna, "/home/h", "h"));
  await going.write(bytes("12345"));
  await going.commit(null, true);
  assert.equal(count(), 2);
  await move(anna, "/home/f", "/home/h", "never");
  setup.check();
});

Deno.test("partial uploads are entries, one by one", async () => {
  const { setup, anna, count } = setUp(3);
  using _ = setup;
  for (const name of ["a", "b", "c"]) {
    await (await begin(anna, request(`/home/${name}`, { size: 5 }))).detach(true);
  }
  assert.equal(count(), 3);
  await fails("over-quota", () => begin(anna, request("/home/d", { size: 5 })));
  await fails("over-quota", () => begin(anna, request("/home/d")));
  await upload(anna, "/home/a", bytes("12345"));
  assert.equal(count(), 3);
  await remove(anna, "/home/b", false);
  assert.equal(count(), 2);
  await write(anna, "/home/d", "d");
});

Deno.test("an admin who replaces a file takes it over with its entry", async () => {
  const { setup, anna, count } = setUp(9);
  using _ = setup;
  const root = setup.user("root", null, "admin");
  await write(anna, "/public/f", "anna's");
  await write(root, "/public/f", "root's");
  assert.deepEqual([count(), count("root")], [0, 1]);
  setup.check();
});

Deno.test("an account can't move a folder of another one into its home", async () => {
  const { setup, anna, count } = setUp(9);
  using _ = setup;
  const bob = setup.user("bob");
  await folder(anna, "/public/d/e");
  await fails("denied", () => move(bob, "/public/d", "/home/d", "never"), /another account made/);
  await move(bob, "/public/d", "/public/x", "never");
  await folder(bob, "/public/x/f");
  await fails("denied", () => move(anna, "/public/x", "/home/x", "never"));
  assert.deepEqual([count(), count("bob")], [2, 1]);
  await remove(bob, "/public/x", true);
  assert.deepEqual([count(), count("bob")], [0, 0]);
});

Deno.test("a folder made by hand is no account's entry until verify adopts it", async () => {
  const { setup, anna, count } = setUp(9);
  using _ = setup;
  Deno.mkdirSync(setup.disk("/home/made/deep"), { recursive: true });
  Deno.mkdirSync(setup.disk("/public/made"));
  await write(anna, "/home/made/deep/f", "f");
  await write(anna, "/public/made/f", "f");
  assert.equal(count(), 2);
  const look = async (repair: boolean) =>
    (await verify(setup.store, { repair })).problems.map(({ kind, path }) => `${kind} ${path}`);
  const found = ["unknown homes/anna/made/deep", "unknown homes/anna/made"];
  assert.deepEqual((await look(false)).sort(), [...found].sort());
  assert.deepEqual((await look(true)).sort(), [...found].sort());
  assert.deepEqual([await look(false), count()], [[], 4]);
  setup.check();
});

Deno.test("a folder that was removed by hand becomes the entry of the account that makes it again", async () => {
  const { setup, anna, count } = setUp(9);
  using _ = setup;
  const bob = setup.user("bob");
  await folder(anna, "/public/d/e");
  await write(anna, "/public/d/e/f", "f");
  Deno.removeSync(setup.disk("/public/d"), { recursive: true });
  await folder(bob, "/public/d");
  assert.deepEqual([count(), count("bob")], [0, 1]);
  setup.check();
});

Deno.test("the folders in public of a removed account belong to no account", async () => {
  const { setup, anna } = setUp(9);
  using _ = setup;
  await folder(anna, "/public/d");
  await folder(anna, "/home/d");
  await removeAccount(setup.store, "anna", { purge: false });
  const { folders, ledger } = setup.store;
  assert.equal(folders.find({ dir: "public", name: "d" })?.owner, null);
  assert.equal(folders.find({ dir: "homes", name: "anna" }), undefined);
  assert.deepEqual(ledger.wrongSums(), []);
});

Deno.test("a move that a crash interrupts keeps the account of each folder", async () => {
  const { setup, anna, count } = setUp(9);
  using _ = setup;
  const bob = setup.user("bob");
  await folder(anna, "/public/a/b");
  await write(anna, "/public/a/b/f", "f");
  const [from, to] = [{ dir: "public", name: "a" }, { dir: "public", name: "z" }];
  setup.store.intents.intend("move", from, to);
  setup.store.vault.rename(from, to);
  await folder(bob, "/public/z/new"); // another goes on there, before the next start
  await write(bob, "/public/z/new/g", "g");
  await recover(setup.store);
  assert.deepEqual([count(), count("bob")], [3, 2]);
  const { problems } = await verify(setup.store, { repair: false });
  assert.deepEqual(problems, []);
  setup.check();
});

Deno.test("wrong sums of entries are found and corrected", async () => {
  const { setup, anna, count } = setUp(9);
  using _ = setup;
  await folder(anna, "/home/d");
  setup.store.db.run("UPDATE account SET entries = 7 WHERE name = 'anna'");
  const { problems } = await verify(setup.store, { repair: true });
  assert.deepEqual(problems.map(({ what }) => what), [
    "its sums are wrong: used should be 0, reserved 0, entries 1",
  ]);
  assert.equal(count(), 1);
});
