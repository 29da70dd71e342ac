/** Locks: conflicts, permissions, expiry, in all workers. */
import assert from "node:assert/strict";
import { lock, Locked, type LockRequest, locksOver } from "../../../core/session/lock.ts";
import { checkUnlocked, refresh, unlock } from "../../../core/session/lock.ts";
import { maxLockSeconds } from "../../../core/storage/locks.ts";
import { mkdir } from "../../../core/session/mkdir.ts";
import { move } from "../../../core/session/move.ts";
import { remove } from "../../../core/session/remove.ts";
import type { Session } from "../../../core/login/session.ts";
import type { View } from "../../../core/storage/view.ts";
import { fails, Setup, write } from "../_setup.ts";

const none: ReadonlySet<string> = new Set();
const any = () => {};

function ask(path: string, facts: Partial<LockRequest> = {}): LockRequest {
  return { path, shared: false, deep: true, owner: "", seconds: 60, tokens: none, ...facts };
}

async function locked(session: Session, path: string, facts: Partial<LockRequest> = {}) {
  return (await lock(session, ask(path, facts), any)).lock;
}

function folder(session: Session, path: string): Promise<boolean> {
  return mkdir(session, { verb: "mkdir", path, parents: true });
}

Deno.test("an exclusive lock excludes all others; shared ones are compatible", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "a");
  const one = await locked(anna, "/home/a");
  const refused = await fails("unavailable", () => locked(anna, "/home/a", { shared: true }));
  assert(refused instanceof Locked && refused.conflict);
  assert.deepEqual(refused.paths, ["/home/a"]);
  assert.equal(await unlock(anna, "/home/a", one.token), true);
  await locked(anna, "/home/a", { shared: true });
  await locked(anna, "/home/a", { shared: true });
  await fails("unavailable", () => locked(anna, "/home/a"));
  assert.equal((await locksOver(anna, "/home/a")).length, 2);
});

Deno.test("another worker sees and enforces a lock at once", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "a");
  const { token } = await locked(anna, "/home/a");
  using other = setup.open();
  const there = setup.login("anna", other);
  await fails("unavailable", () => locked(there, "/home/a"));
  await fails("unavailable", () => checkChange(there, "/home/a", none, "content"));
  await checkChange(there, "/home/a", new Set([token]), "content");
});

Deno.test("a deep lock covers all entries below, and conflicts with their locks", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await folder(anna, "/home/d/e");
  await write(anna, "/home/d/e/a", "a");
  const inner = await locked(anna, "/home/d/e/a");
  await fails("unavailable", () => locked(anna, "/home/d"));
  const shallow = await locked(anna, "/home/d", { deep: false }); // only on the folder and its names
  await unlock(anna, "/home/d/e/a", inner.token);
  await unlock(anna, "/home/d", shallow.token);
  const { token } = await locked(anna, "/home/d");
  for (const path of ["/home/d", "/home/d/e", "/home/d/e/a", "/home/d/new"]) {
    await fails("unavailable", () => checkChange(anna, path, none, "content"));
    await checkChange(anna, path, new Set([token]), "name");
  }
  await checkChange(anna, "/home/da", none, "name"); // a name that begins alike
});

Deno.test("names in a locked folder are locked, files in it are not", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await folder(anna, "/home/d");
  await write(anna, "/home/d/a", "a");
  const { token } = await locked(anna, "/home/d", { deep: false });
  await checkChange(anna, "/home/d/a", none, "content");
  await fails("unavailable", () => checkChange(anna, "/home/d/a", none, "name"));
  await checkChange(anna, "/home/d/a", new Set([token]), "name");
});

Deno.test("a folder with a locked entry can't be removed", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await folder(anna, "/home/d/e");
  await write(anna, "/home/d/e/a", "a");
  const { token } = await locked(anna, "/home/d/e/a");
  const refused = await fails("unavailable", () => checkChange(anna, "/home/d", none, "name"));
  assert(refused instanceof Locked && !refused.conflict);
  assert.deepEqual(refused.paths, ["/home/d/e/a"]);
  await checkChange(anna, "/home/d", new Set([token]), "name");
});

Deno.test("a lock makes an empty file if there is none, and none where it fails", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 100);
  const { made } = await lock(anna, ask("/home/new"), any);
  assert.equal(made, true);
  assert.equal(setup.read("/home/new"), "");
  await fails("no-directory", () => locked(anna, "/home/nowhere/new"));
  assert.equal(setup.store.db.all("SELECT * FROM lock").length, 1);
  setup.check();
});

Deno.test("only the account of a lock can use it; an admin can end it", async () => {
  using setup = new Setup();
  const [anna, bob, root] = [setup.user("anna"), setup.user("bob"), setup.user("r", null, "admin")];
  await write(anna, "/public/a", "a");
  await fails("denied", () => locked(bob, "/public/a"));
  const { token } = await locked(anna, "/public/a");
  await fails("unavailable", () => checkChange(bob, "/public/a", new Set([token]), "content"));
  await fails("denied", () => unlock(bob, "/public/a", token), /another account's/);
  assert.equal(await refresh(bob, "/public/a", new Set([token]), 60, any), undefined);
  assert.equal(await unlock(root, "/public/a", token), true);
  assert.equal(await unlock(root, "/public/a", token), false);
});

Deno.test("/public can't be locked, nor a folder in it with files of others", async () => {
  using setup = new Setup();
  const [anna, bob] = [setup.user("anna"), setup.user("bob")];
  await folder(anna, "/public/d");
  await write(anna, "/public/d/a", "a");
  await fails("exists", () => locked(bob, "/public"));
  await fails("denied", () => locked(bob, "/public/d"), /belongs to anna/);
});

Deno.test("a lock expires, and a refresh extends it", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "a");
  const { token } = await locked(anna, "/home/a", { seconds: 10 });
  const more = await refresh(anna, "/home/a", new Set([token]), maxLockSeconds, any);
  assert.ok(more!.until > Date.now() + (maxLockSeconds - 10) * 1000);
  setup.store.db.run("UPDATE lock SET until = ?", Date.now() - 1);
  await checkChange(anna, "/home/a", none, "name");
  assert.deepEqual(await locksOver(anna, "/home/a"), []);
  assert.equal(await refresh(anna, "/home/a", new Set([token]), 60, any), undefined);
  await locked(anna, "/home/a");
  assert.equal(setup.store.db.all("SELECT * FROM lock").length, 1);
});

Deno.test("locks end with their entry; a lock on the target of a move stays", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await folder(anna, "/home/d");
  for (const path of ["/home/a", "/home/b", "/home/d/c"]) {
    await write(anna, path, "x");
    await locked(anna, path);
  }
  await move(anna, "/home/a", "/home/b", "always");
  const on = async (path: string) => (await locksOver(anna, path)).length;
  assert.deepEqual([await on("/home/a"), await on("/home/b"), await on("/home/d/c")], [0, 1, 1]);
  await move(anna, "/home/d", "/home/e", "never");
  assert.deepEqual([await on("/home/d/c"), await on("/home/e/c")], [0, 0]);
  await remove(anna, "/home/b", false);
  assert.deepEqual(setup.store.db.all("SELECT * FROM lock"), []);
});

Deno.test("an account has a bounded number of locks", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "a");
  setup.store.db.transaction(() => {
    for (let i = 0; i < 1000; i++) {
      const place = {
        dir: "homes/anna/d",
        name: String(i),
        account: anna.id,
        until: Date.now() * 2,
      };
      setup.store.locks.enter({ ...place, token: `t:${i}`, shared: true, deep: false, owner: "" });
    }
  });
  await fails("over-quota", () => locked(anna, "/home/a"), /1000 locks/);
  await fails("over-quota", () => locked(anna, "/home/new"), /1000 locks/);
  assert.equal(setup.exists("/home/new"), false);
  setup.store.locks.remove("t:0");
  await locked(anna, "/home/a");
});

/** Runs {@link checkUnlocked} on the storage of a session. */
function checkChange(
  session: Session,
  path: string,
  tokens: ReadonlySet<string>,
  change: "content" | "name",
): Promise<void> {
  const check = (view: View) => checkUnlocked(view, session, path, tokens, change);
  return session.store.tree.check({ places: [], check });
}
