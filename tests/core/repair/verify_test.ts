/** `barge verify`: damage, staging and dead workers; reconcile_test.ts has the rest. */
import assert from "node:assert/strict";
import { mkdir } from "../../../core/session/mkdir.ts";
import { move } from "../../../core/session/move.ts";
import { recover } from "../../../core/repair/recover.ts";
import { remove } from "../../../core/session/remove.ts";
import { trashName } from "../../../core/local/vault/staging.ts";
import { stat } from "../../../core/session/stat.ts";
import { verify, type VerifyOptions } from "../../../core/repair/verify.ts";
import { begin, bytes, request, Setup, sha256, upload, write } from "../_setup.ts";

const folder = (path: string) => ({ verb: "mkdir" as const, path, parents: true });
/** No server runs here, so all leftovers are real. */
const patience = { orphan: 0, writer: 0, trash: 0 };

async function found(setup: Setup, options: Partial<VerifyOptions> = {}): Promise<string[]> {
  const { problems } = await verify(setup.store, {
    ...{ repair: false, contents: true, patience },
    ...options,
  });
  return problems.map((p) => `${p.kind} ${p.path}${p.repaired ? " repaired" : ""}`).sort();
}

/** Changes bytes as a failing disk does, without changing the other facts. */
function rot(path: string, content: string): void {
  const { mtime, size } = Deno.statSync(path);
  assert.equal(content.length, size);
  Deno.writeTextFileSync(path, content);
  Deno.utimeSync(path, mtime!, mtime!);
}

Deno.test("damage is found by reading, not repaired, and accepted only by name", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  for (const name of ["a", "b", "good"]) await write(anna, `/home/${name}`, "12345");
  for (const name of ["a", "b"]) rot(setup.disk(`/home/${name}`), "12z45");
  assert.deepEqual(await found(setup, { contents: false }), []);
  const { checked, bytes: read, problems } = await verify(setup.store, {
    ...{ repair: true, contents: true },
  });
  assert.deepEqual([checked, read], [3, 15]);
  const facts = { kind: "damaged", repaired: false, expected: sha256("12345") };
  const what = "is damaged: its bytes are not those of its digest";
  assert.deepEqual(
    problems,
    ["a", "b"].map((name) => ({
      ...{ ...facts, path: `homes/anna/${name}`, what, found: sha256("12z45") },
    })),
  );
  assert.equal((await stat(anna, "/home/a")).entry?.sha256, sha256("12345"));
  const accept = new Set(["homes/anna/a"]);
  assert.deepEqual(await found(setup, { accept }), [
    "damaged homes/anna/a repaired",
    "damaged homes/anna/b",
  ]);
  assert.equal((await stat(anna, "/home/a")).entry?.sha256, sha256("12z45"));
  assert.deepEqual(await found(setup), ["damaged homes/anna/b"]);
});

Deno.test("a restored copy is entered with its digest, a damaged one is not", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  for (const name of ["good", "bad"]) {
    await write(anna, `/home/${name}`, "12345");
    const path = setup.disk(`/home/${name}`);
    const { mtime } = Deno.statSync(path);
    Deno.writeTextFileSync(`${path}.copy`, name === "good" ? "12345" : "1234x");
    Deno.utimeSync(`${path}.copy`, mtime!, mtime!);
    Deno.renameSync(`${path}.copy`, path);
  }
  const both = ["changed homes/anna/bad", "changed homes/anna/good"];
  assert.deepEqual(await found(setup, { contents: false }), both);
  assert.deepEqual(await found(setup), ["changed homes/anna/good", "damaged homes/anna/bad"]);
  const repaired = await verify(setup.store, { repair: true, contents: true });
  assert.deepEqual(repaired.copied, 1);
  assert.deepEqual(repaired.problems.map(({ path }) => path), ["homes/anna/bad"]);
  const { entry } = await stat(anna, "/home/good");
  assert.equal(entry?.sha256, sha256("12345"));
  const files = setup.store.ledger.filesIn("homes/anna");
  const rows = new Map(files.map((row) => [row.name, row]));
  assert.deepEqual([rows.get("good")?.verified, rows.get("bad")?.sha256], [1, sha256("12345")]);
  const accept = new Set(["homes/anna/bad"]);
  assert.deepEqual(await found(setup, { repair: true, accept }), [
    "damaged homes/anna/bad repaired",
  ]);
  assert.deepEqual(await found(setup), []);
});

Deno.test("a copy that is removed while it is read stays in the ledger unless a repair is asked for", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "12345");
  const path = setup.disk("/home/a");
  const { mtime } = Deno.statSync(path);
  Deno.writeTextFileSync(`${path}.copy`, "12345");
  Deno.utimeSync(`${path}.copy`, mtime!, mtime!);
  Deno.renameSync(`${path}.copy`, path);
  const { problems } = await verify(setup.store, {
    ...{ repair: false, contents: true },
    onEvent({ type }) {
      if (type === "bytes") Deno.removeSync(path);
    },
  });
  assert.deepEqual(problems.map(({ kind, repaired }) => [kind, repaired]), [["missing", false]]);
  assert.deepEqual(await found(setup), ["missing homes/anna/a"]);
});

Deno.test("progress announces the bytes to read, and reaches their number", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  for (const name of ["a", "b", "gone"]) await write(anna, `/home/${name}`, "12345");
  Deno.removeSync(setup.disk("/home/gone"));
  Deno.writeTextFileSync(setup.disk("/home/by-hand"), "1");
  const sums: Record<string, number> = {};
  const add = (what: string, n: number) => sums[what] = (sums[what] ?? 0) + n;
  await verify(setup.store, {
    ...{ repair: false, contents: true },
    onEvent(event) {
      add(event.type, 1);
      if (event.type === "plan") add("planned", event.bytes);
      if (event.type === "start") add("moved", event.skipped);
      if (event.type === "bytes") add("moved", event.count);
    },
  });
  assert.deepEqual(sums, { plan: 1, planned: 15, start: 4, moved: 15, bytes: 2, done: 4 });
});

Deno.test("an unreadable file is reported, stays in the ledger, and the others are read", {
  ignore: Deno.uid() === 0, // root can read all files
}, async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await mkdir(anna, folder("/home/d"));
  for (const path of ["/home/a", "/home/d/x", "/home/z"]) await write(anna, path, "12345");
  Deno.chmodSync(setup.disk("/home/a"), 0);
  Deno.chmodSync(setup.disk("/home/d"), 0);
  rot(setup.disk("/home/z"), "54321");
  const expected = [
    "damaged homes/anna/z",
    "unreadable homes/anna/a",
    "unreadable homes/anna/d",
    "unreadable homes/anna/d/x",
  ];
  assert.deepEqual(await found(setup, { repair: true }), expected);
  Deno.chmodSync(setup.disk("/home/d"), 0o700);
  Deno.chmodSync(setup.disk("/home/a"), 0o600);
  assert.deepEqual(await found(setup), ["damaged homes/anna/z"]);
});

Deno.test("staged bytes of no upload are deleted, and those that can be resumed stay", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 100);
  for (const name of ["idle", "empty", "lost"]) {
    const going = await begin(anna, request(`/home/${name}`, { size: 20 }));
    await going.write(bytes("12345"));
    await going.detach();
  }
  const id = (name: string) =>
    setup.store.reservations.unfinished(anna.id, { dir: "homes/anna", name })!.id;
  Deno.truncateSync(`${setup.data}/staging/${id("empty")}`);
  Deno.removeSync(`${setup.data}/staging/${id("lost")}`);
  Deno.writeTextFileSync(`${setup.data}/staging/9999`, "of no upload");
  Deno.mkdirSync(`${setup.data}/staging/removed-7/sub`, { recursive: true });
  Deno.writeTextFileSync(`${setup.data}/staging/junk`, "");
  await using going = new Going(await begin(anna, request("/home/going", { size: 20 })));
  await going.upload.write(bytes("123"));
  const expected = [
    "empty-upload homes/anna/empty",
    "empty-upload homes/anna/lost",
    "leftover staging/9999",
    "leftover staging/junk",
    "leftover staging/removed-7",
  ];
  assert.deepEqual(await found(setup), expected);
  const repaired = expected.map((line) => `${line} repaired`);
  assert.deepEqual(await found(setup, { repair: true }), repaired);
  assert.deepEqual(await found(setup), []);
  assert.deepEqual(setup.staged().sort(), [id("going"), id("idle")].map(String).sort());
  assert.equal(setup.account("anna").reserved, 5 + 20);
  // With the default patience, recently staged bytes may be in use.
  Deno.mkdirSync(`${setup.data}/staging/removed-8`);
  assert.deepEqual(await found(setup, { patience: { orphan: 0 } }), []);
});

Deno.test("an upload into a folder removed by hand is reported, and its reservation ends", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await mkdir(anna, folder("/home/d"));
  const going = await begin(anna, request("/home/d/a", { size: 20 }));
  await going.write(bytes("12345"));
  await going.detach();
  assert.deepEqual(await found(setup), []);
  Deno.removeSync(setup.disk("/home/d"));
  const lines = ["leftover homes/anna/d/a", "missing homes/anna/d"];
  assert.deepEqual(await found(setup), lines);
  assert.deepEqual(await found(setup, { repair: true }), lines.map((line) => `${line} repaired`));
  assert.deepEqual([setup.account("anna").reserved, setup.staged()], [0, []]);
  assert.deepEqual(await found(setup), []);
});

Deno.test("a restored directory without staging is repaired", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 100);
  const going = await begin(anna, request("/home/a", { size: 20 }));
  await going.write(bytes("12345"));
  await going.detach();
  Deno.removeSync(`${setup.data}/staging`, { recursive: true });
  const line = "empty-upload homes/anna/a";
  assert.deepEqual(await found(setup), [line]);
  assert.deepEqual(await found(setup, { repair: true }), [`${line} repaired`]);
  assert.deepEqual(await found(setup), []);
  assert.equal(setup.account("anna").reserved, 0);
});

class Going implements AsyncDisposable {
  constructor(readonly upload: Awaited<ReturnType<typeof begin>>) {}
  async [Symbol.asyncDispose](): Promise<void> {
    await this.upload.detach();
  }
}

Deno.test("a sealed upload of a dead worker is settled, or can be resumed", async () => {
  const fresh = "new content";
  for (const where of ["staging", "place", "both", "nowhere"]) {
    using setup = new Setup();
    const anna = setup.user("anna", 100);
    await write(anna, "/home/a", "old");
    const { reservations } = setup.store;
    const size = fresh.length;
    const place = { dir: "homes/anna", name: "a" };
    const declared = { ...place, account: anna.id, size, modified: null, holder: "dead" };
    const [{ id }] = reservations.begin([{ upload: declared }]);
    reservations.seal(id, "dead", { size, sha256: sha256(fresh), verified: true });
    if (where !== "nowhere") Deno.writeTextFileSync(`${setup.data}/staging/${id}`, fresh);
    if (where === "place") Deno.renameSync(`${setup.data}/staging/${id}`, setup.disk("/home/a"));
    if (where === "both") {
      Deno.removeSync(setup.disk("/home/a"));
      Deno.linkSync(`${setup.data}/staging/${id}`, setup.disk("/home/a"));
    }
    const live = await found(setup, { repair: true, contents: false, patience: {} });
    assert.deepEqual(live.filter((line) => line.startsWith("cut-off")), []); // its worker may be alive
    const [line] = (await found(setup, { repair: true })).filter((l) => l.startsWith("cut-off"));
    assert.equal(line, "cut-off homes/anna/a repaired");
    assert.deepEqual(await found(setup), []);
    assert.equal(setup.read("/home/a"), where === "place" || where === "both" ? fresh : "old");
    setup.check();
    assert.deepEqual(setup.staged(), where === "staging" ? [`${id}`] : []);
    assert.equal(setup.account("anna").reserved, where === "staging" ? size - 3 : 0);
    assert.equal(reservations.upload(id)?.holder, where === "staging" ? null : undefined);
  }
});

Deno.test("a finished move or removal of a dead worker is settled, and the owner stays", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const bob = setup.user("bob");
  await mkdir(anna, folder("/public/d/e"));
  await write(bob, "/public/d/e/x", "xx");
  await write(anna, "/home/gone", "yyy");
  await write(anna, "/home/not-yet", "z");
  const { intents, vault } = setup.store;
  const [from, to] = ["d", "new"].map((name) => ({ dir: "public", name }));
  intents.intend("move", from, to);
  vault.rename(from, to);
  const gone = { dir: "homes/anna", name: "gone" };
  const id = intents.intend("remove", gone, { dir: "staging", name: "" });
  vault.rename(gone, { dir: "staging", name: trashName(id) });
  const place = { dir: "homes/anna", name: "not-yet" };
  intents.intend("move", place, { dir: "homes/anna", name: "later" });
  assert.deepEqual((await found(setup)).filter((line) => line.startsWith("cut-off")), [
    "cut-off homes/anna/gone",
    "cut-off public/d",
  ]);
  assert.deepEqual(await found(setup, { repair: true }), [
    "cut-off homes/anna/gone repaired",
    "cut-off public/d repaired",
    `leftover staging/${trashName(id)} repaired`,
  ]);
  assert.deepEqual(await found(setup), []);
  assert.equal((await stat(anna, "/public/new/e/x")).entry?.owner, "bob");
  assert.deepEqual([setup.account("anna").used, setup.account("bob").used], [1, 2]);
  assert.equal(intents.intents().length, 1); // its worker may still do it
});

Deno.test("files that a repair entered after a move was cut off stay known at the next start", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "12345");
  const [from, to] = ["a", "b"].map((name) => ({ dir: "homes/anna", name }));
  setup.store.intents.intend("move", from, to);
  setup.store.vault.rename(from, to);
  setup.store.ledger.forgetFile(from);
  setup.store.ledger.enter({
    ...{ ...to, ...setup.store.vault.find(to)!, owner: anna.id },
    ...{ sha256: sha256("12345"), verified: true },
  });
  await recover(setup.store);
  assert.equal((await stat(anna, "/home/b")).entry?.sha256, sha256("12345"));
  assert.equal(setup.account("anna").used, 5);
});

Deno.test("verifying beside writers of another isolate reports no problem", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  using other = setup.open();
  const busy = setup.login("anna", other);
  await mkdir(anna, folder("/home/d"));
  let running = true;
  const writers = [0, 1, 2].map(async (n) => {
    const content = new Uint8Array(300_000);
    for (let i = 0; running; i++) {
      const path = `/home/d/f${n}-${i % 3}`;
      if (i % 2) await upload(busy, path, content.fill(i % 256));
      else await write(busy, path, `${i}`.repeat(1 + i % 9));
      if (i % 3 === 0) await move(busy, path, `/home/m${n}`, "always");
      if (i % 7 === 0) await remove(busy, `/home/m${n}`, false).catch(() => {});
      const going = await begin(busy, request(`/home/cut${n}`, { size: 50 }));
      await going.write(bytes("1"));
      if (i % 2) await going.drop();
      else await going.detach();
    }
  });
  const alarms: string[] = [];
  for (let i = 0; i < 25; i++) {
    alarms.push(...await found(setup, { repair: i % 2 === 1, patience: {} }));
  }
  running = false;
  await Promise.all(writers);
  assert.deepEqual(alarms, []);
  setup.check();
});
