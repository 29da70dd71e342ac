/** The collector removes what nothing refers to, and nothing else. */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { collectGarbage } from "../../../core/shared/upload/garbage.ts";
import { objectName, releaseObjects } from "../../../core/shared/bucket/objects.ts";
import type { Parts } from "../../../core/shared/bucket/parts.ts";
import type { SharedTree } from "../../../core/shared/tree/tree.ts";
import type { SharedUploads } from "../../../core/shared/upload/uploads.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";
import { always, readWhole } from "../../contract/store/_suite_tree.ts";
import { commit, declared, file, guard, store, text } from "../../contract/store/_suite_uploads.ts";

interface Case {
  readonly setup: SharedSetup;
  readonly parts: Parts;
  readonly uploads: SharedUploads;
  readonly tree: SharedTree;
  readonly anna: number;
}

function test(name: string, work: (c: Case) => Promise<void>): void {
  Deno.test({
    name: `garbage: ${name}`,
    ignore: !hasEngines,
    async fn() {
      await using setup = await SharedSetup.make();
      const anna = await setup.addAccount("anna", null);
      const { parts, uploads, tree } = setup.node();
      await work({ setup, parts, uploads, tree, anna });
    },
  });
}

/** Collects as if all that is garbage had been so for long. */
async function collectAll(parts: Parts): Promise<void> {
  const { db } = parts;
  await db.all("UPDATE garbage SET after = now() - interval '1 hour'");
  await collectGarbage(parts);
  await db.all("UPDATE object SET until = now() - interval '1 hour' WHERE until IS NOT NULL");
  await collectGarbage(parts);
}

async function objects({ db, bucket }: Parts): Promise<{ rows: number; stored: number }> {
  const rows = await db.all<{ id: number }>("SELECT id FROM object");
  let stored = 0;
  for (const { id } of rows) {
    try {
      await bucket.get(objectName(id), { start: 0, size: 1 });
      stored++;
    } catch (error) {
      if (!(error instanceof BargeError && error.kind === "io")) throw error;
    }
  }
  return { rows: rows.length, stored };
}

const named = (name: string) => ({ dir: file.dir, name });

test("a replaced or removed file's objects go, a day later", async ({ parts, uploads, tree, anna }) => {
  await store(uploads, anna, text("old"));
  await store(uploads, anna, text("new"));
  assert.equal((await objects(parts)).stored, 2);
  await collectGarbage(parts);
  assert.equal((await objects(parts)).stored, 2, "readers may have them open");
  await collectAll(parts);
  assert.deepEqual(await objects(parts), { rows: 1, stored: 1 });
  assert.equal((await readWhole(tree, file)).length, 3);
  await tree.remove(file, anna, always);
  await collectAll(parts);
  assert.deepEqual(await objects(parts), { rows: 0, stored: 0 });
  assert.deepEqual(await parts.db.all("SELECT 1 FROM content"), []);
});

test("a pack stays while one of its files does", async ({ parts, uploads, tree, anna }) => {
  const names = ["a", "b", "c"];
  await Promise.all(names.map((name) => store(uploads, anna, text(name), named(name))));
  assert.equal((await objects(parts)).stored, 1, "files that come together share an object");
  for (const name of ["a", "b"]) await tree.remove(named(name), anna, always);
  await collectAll(parts);
  assert.equal((await objects(parts)).stored, 1);
  assert.deepEqual(await readWhole(tree, named("c")), text("c"));
  await tree.remove(named("c"), anna, always);
  await collectAll(parts);
  assert.equal((await objects(parts)).stored, 0);
});

test("a copy keeps the content, moves no byte, and is charged", async ({ parts, uploads, tree, anna, setup }) => {
  await store(uploads, anna, text("shared"));
  const copy = named("copy");
  const copied = await uploads.copy(file, declared(anna, null, copy), guard(copy));
  assert.equal(copied?.size, 6);
  assert.equal((await objects(parts)).stored, 1);
  await setup.check();
  await tree.remove(file, anna, always);
  await collectAll(parts);
  assert.deepEqual(await readWhole(tree, copy), text("shared"));
});

test("a piece that is overwritten goes, and the rest of its upload stays", async ({ parts, uploads, anna, tree }) => {
  const open = await uploads.begin(declared(anna, null), { keep: 0 });
  await open.reserve(10);
  await open.body.write(text("first"));
  await open.body.flush();
  await open.body.writeAt(0, text("other"));
  await open.body.flush();
  await open.body.writeAt(2, text("h"));
  await commit(open);
  await collectAll(parts);
  assert.equal((await objects(parts)).stored, 2);
  assert.deepEqual(await readWhole(tree, file), text("other"));
});

test("what a dropped, a cut and a dead upload have sent goes", async ({ parts, uploads, anna }) => {
  const dropped = await uploads.begin(declared(anna, null), { keep: 0 });
  await dropped.reserve(10);
  await dropped.body.write(text("dropped"));
  await dropped.body.flush();
  await dropped.drop();
  const dead = await uploads.begin(declared(anna, null, named("dead")), { keep: 0 });
  await dead.reserve(10);
  await dead.body.write(text("dead"));
  await dead.body.flush();
  assert.equal((await objects(parts)).stored, 2);
  await collectAll(parts);
  assert.equal((await objects(parts)).stored, 1, "a partial upload keeps its pieces");
  await parts.db.all("UPDATE upload SET touched = now() - interval '8 days'");
  await collectGarbage(parts);
  await collectAll(parts);
  assert.deepEqual(await objects(parts), { rows: 0, stored: 0 });
});

test("a name that was not used in time is never used again", async ({ parts, uploads, anna }) => {
  const open = await uploads.begin(declared(anna, null), { keep: 0 });
  await open.reserve(10);
  await open.body.write(text("late"));
  await open.body.readAt(0, new Uint8Array(1)); // sends it, and records nothing yet
  await collectAll(parts);
  await assert.rejects(
    async () => await commit(open),
    (error) => error instanceof BargeError && error.kind === "unavailable",
  );
  await open.drop();
});

test("an object whose last two pieces go at the same time is the collector's", async ({ parts, uploads, anna }) => {
  await Promise.all(["a", "b"].map((name) => store(uploads, anna, text(name), named(name))));
  const { db } = parts;
  const pieces = await db.all<{ content: number; object: number }>(
    "SELECT content, object FROM piece",
  );
  assert.equal(new Set(pieces.map(({ object }) => object)).size, 1);
  let removed = 0;
  const both = Promise.withResolvers<void>();
  await Promise.all(pieces.map(({ content, object }) =>
    db.transaction(async (tx) => {
      await tx.all("DELETE FROM piece WHERE content = $1", content);
      if (++removed === 2) both.resolve();
      await both.promise;
      await releaseObjects(tx, [object]);
    })
  ));
  assert.deepEqual(await db.all("SELECT 1 FROM object WHERE until IS NULL"), []);
});

test("several collectors at once remove each object once", async ({ setup, parts, uploads, anna }) => {
  for (let i = 0; i < 5; i++) await store(uploads, anna, text(`version ${i}`));
  await parts.db.all("UPDATE garbage SET after = now() - interval '1 hour'");
  await collectGarbage(parts);
  await parts.db.all("UPDATE object SET until = now() - interval '1 hour' WHERE until IS NOT NULL");
  const nodes = Array.from({ length: 4 }, () => setup.node());
  await Promise.all(nodes.map((node) => collectGarbage(node.parts)));
  assert.deepEqual(await objects(parts), { rows: 1, stored: 1 });
});

for (const step of ["written/1", "committed/1", "deleted/1", "deleted/2"]) {
  test(`a collector that is killed at ${step} leaves all to the next one`, async (c) => {
    const { setup, parts, uploads, tree, anna } = c;
    for (const name of ["a", "b", "c"]) await store(uploads, anna, text(name), named(name));
    for (const name of ["a", "b"]) await tree.remove(named(name), anna, always);
    await parts.db.all("UPDATE garbage SET after = now() - interval '1 hour'");
    if (step.startsWith("deleted")) {
      await collectGarbage(parts);
      await parts.db.all("UPDATE object SET until = now() - interval '1 hour' WHERE until > now()");
    }
    await setup.killed("collect", step, `${anna}`);
    assert.deepEqual(await readWhole(tree, named("c")), text("c"));
    await collectAll(parts);
    assert.deepEqual(await objects(parts), { rows: 1, stored: 1 });
    assert.deepEqual(await readWhole(tree, named("c")), text("c"));
    await setup.check();
    await setup.verify();
  });
}
