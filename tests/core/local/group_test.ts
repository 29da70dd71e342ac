/** Commits in groups, and their recovery when the database refuses. */
import assert from "node:assert/strict";
import { mkdir } from "../../../core/session/mkdir.ts";
import { move } from "../../../core/session/move.ts";
import { recover } from "../../../core/repair/recover.ts";
import { remove } from "../../../core/session/remove.ts";
import { stat } from "../../../core/session/stat.ts";
import { begin, fails, request, Setup, sha256, write } from "../_setup.ts";

const folder = (path: string) => ({ verb: "mkdir" as const, path, parents: true });

/** Returns the outcome of each piece of work: "done", or its error. */
function together(work: () => Promise<unknown>[]): Promise<unknown[]> {
  return Promise.all(work().map((promise) => promise.then(() => "done", (error) => error)));
}

/**
 * Does the same while every COMMIT that publishes fails, after all renames: a trigger leaves a foreign
 * key dangling when the row of an upload or an intent goes.
 */
async function spoiled(setup: Setup, work: () => Promise<unknown>[]): Promise<unknown[]> {
  const { db } = setup.store;
  db.run(`CREATE TABLE spoil (x INTEGER REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED)`);
  for (const table of ["upload", "intent"]) {
    db.run(`CREATE TRIGGER spoil_${table} AFTER DELETE ON ${table} BEGIN
      INSERT INTO spoil VALUES (999); END`);
  }
  try {
    return await together(work);
  } finally {
    db.run("DROP TABLE spoil");
    db.run("DROP TRIGGER spoil_upload");
    db.run("DROP TRIGGER spoil_intent");
  }
}

Deno.test("many at once share a commit; one that fails, fails alone", async () => {
  using setup = new Setup({ durability: "full" });
  const anna = setup.user("anna", 300);
  const bob = setup.user("bob");
  await write(bob, "/public/bobs", "b");
  const results = await together(() => [
    ...Array.from({ length: 200 }, (_, i) => write(anna, `/home/f${i}`, "x")),
    write(anna, "/public/bobs", "mine"),
    write(anna, "/home/none/x", "x"),
    write(anna, "/home/large", "x".repeat(400)),
  ]);
  const kinds = results.map((r) => r === "done" ? r : (r as { kind: string }).kind);
  assert.deepEqual(kinds.slice(200), ["denied", "no-directory", "over-quota"]);
  assert(kinds.slice(0, 200).every((kind) => kind === "done"));
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [200, 0]);
  assert.deepEqual(setup.staged(), []);
  setup.check();
});

Deno.test("a failing commit fails all its work; the next commit settles its steps on disk", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 1000);
  await mkdir(anna, folder("/home/d"));
  await write(anna, "/home/old", "old");
  await write(anna, "/home/gone", "gone");
  await write(anna, "/home/d/moved", "moved");
  const going = await begin(anna, request("/home/large", { size: 500 }));
  await going.write(new Uint8Array(500));
  const results = await spoiled(setup, () => [
    write(anna, "/home/small", "small"),
    write(anna, "/home/old", "newer"),
    going.commit(null, true),
    remove(anna, "/home/gone", false),
    move(anna, "/home/d", "/home/e", "never"),
  ]);
  assert(results.every((result) => result instanceof Error), String(results));
  // All steps are on disk, and the reservations of the new files remain.
  for (const name of ["small", "large", "e/moved"]) assert(setup.exists(`/home/${name}`), name);
  assert(!setup.exists("/home/gone"));
  const { used, reserved } = setup.account("anna");
  assert.equal(used + reserved, 3 + 4 + 5 + 5 + 2 + 500);
  await write(anna, "/home/next", "next");
  setup.check();
  assert.equal((await stat(anna, "/home/small")).entry?.sha256, sha256("small"));
  assert.equal((await stat(anna, "/home/old")).entry?.sha256, sha256("newer"));
  assert.equal((await stat(anna, "/home/e/moved")).entry?.sha256, sha256("moved"));
  assert.equal((await stat(anna, "/home/large")).entry?.size, 500);
  assert.deepEqual(
    [setup.account("anna").used, setup.account("anna").reserved],
    [5 + 5 + 5 + 500 + 4, 0],
  );
  assert.deepEqual(setup.store.intents.intents(), []);
  await recover(setup.store);
  setup.check();
});

Deno.test("the next start settles the steps of a failed commit, if there is no next commit", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 1000);
  await mkdir(anna, folder("/home/d"));
  await write(anna, "/home/gone", "gone");
  await write(anna, "/home/d/moved", "moved");
  await spoiled(setup, () => [
    write(anna, "/home/small", "small"),
    remove(anna, "/home/gone", false),
    move(anna, "/home/d", "/home/e", "never"),
  ]);
  using restarted = setup.open();
  const { changes, settled } = await recover(restarted);
  assert.deepEqual([changes, settled], [2, 1]);
  setup.check();
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [10, 0]);
});

Deno.test("a file that others replaced after a failed commit stays theirs", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 1000);
  await spoiled(setup, () => [write(anna, "/home/a", "first")]);
  using other = setup.open();
  await write(setup.login("anna", other), "/home/a", "second one");
  await write(anna, "/home/b", "b");
  setup.check();
  assert.equal((await stat(anna, "/home/a")).entry?.sha256, sha256("second one"));
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [11, 0]);
});

Deno.test("one commit can write into a folder and move it", async () => {
  using setup = new Setup({ durability: "full" });
  const anna = setup.user("anna");
  const { commits, ledger, reservations, vault } = setup.store;
  await mkdir(anna, folder("/home/d"));
  const account = anna.id;
  const place = { dir: "homes/anna/d", name: "x" };
  const [upload] = reservations.begin([
    { upload: { ...place, account, size: 1, modified: null, holder: "h" } },
  ]);
  Deno.writeTextFileSync(`${setup.data}/staging/${upload.id}`, "x");
  const found = vault.find({ dir: "staging", name: `${upload.id}` })!;
  const file = { ...place, ...found, owner: account, sha256: sha256("x"), verified: true };
  const [from, to] = ["d", "e"].map((name) => ({ dir: "homes/anna", name }));
  await Promise.all([ // both are submitted before the group runs
    commits.publish(upload, file, { places: [], check() {} }),
    commits.change({
      places: [from, to],
      check() {},
      disk: () => vault.rename(from, to),
      ledger: () => ledger.rename(from, to),
    }),
  ]);
  setup.check();
  assert.equal((await stat(anna, "/home/e/x")).entry?.sha256, sha256("x"));
  await write(anna, "/home/after", "after");
});

Deno.test("of racing moves and removals one wins, and no intent is left", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "a");
  const results = await together(() => [
    move(anna, "/home/a", "/home/b", "never"),
    move(anna, "/home/a", "/home/c", "never"),
    remove(anna, "/home/a", false),
  ]);
  assert.equal(results.filter((result) => result === "done").length, 1);
  assert.deepEqual(setup.store.intents.intents(), []);
  await write(anna, "/home/c", "another");
  await recover(setup.store);
  setup.check();
  assert.equal((await stat(anna, "/home/c")).entry?.sha256, sha256("another"));
});

Deno.test("a folder that fills while it is removed as empty stays", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await mkdir(anna, folder("/home/d"));
  const [wrote, removed] = await together(() => [
    write(anna, "/home/d/x", "x"),
    remove(anna, "/home/d", false),
  ]);
  assert.notEqual(wrote === "done", removed === "done");
  assert.equal(setup.exists("/home/d/x"), wrote === "done");
  setup.check();
});

Deno.test("while another connection has the write lock, the isolate goes on, and the group grows", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  using other = setup.open();
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 1);
  other.db.run("BEGIN IMMEDIATE");
  const writes = [write(anna, "/home/a", "a"), write(anna, "/home/b", "b")];
  while (ticks < 20) await new Promise((resolve) => setTimeout(resolve, 1));
  writes.push(write(anna, "/home/c", "c"));
  assert.equal(setup.store.reservations.uploads().length, 0);
  other.db.run("COMMIT");
  await Promise.all(writes);
  clearInterval(ticking);
  assert.deepEqual(["a", "b", "c"].map((name) => setup.read(`/home/${name}`)), ["a", "b", "c"]);
  setup.check();
});

Deno.test("a write that waits for the write lock too long fails, and changes nothing", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  using other = setup.open();
  other.db.run("BEGIN IMMEDIATE");
  const failed = await fails("unavailable", () => write(anna, "/home/a", "a"));
  assert.match(failed.hint ?? "", /fuser/);
  other.db.run("ROLLBACK");
  assert.equal(setup.exists("/home/a"), false);
  assert.deepEqual(setup.staged(), []);
  await write(anna, "/home/a", "a");
  setup.check();
});
