/** A check of shared storage compares sums and objects, repairs both, and can be stopped, on real engines. */
import assert from "node:assert/strict";
import { collectGarbage } from "../../../core/shared/upload/garbage.ts";
import { objectName } from "../../../core/shared/bucket/objects.ts";
import type { ReconcileEvent } from "../../../core/storage/problem.ts";
import { store, text } from "../../contract/store/_suite_uploads.ts";
import { anyAge, named, sha256, staysAsFound, storeLarge, test, verify } from "./_verify.ts";

test("wrong sums are found, and corrected once by all runs together, beside writers", async (c) => {
  const { setup, parts, uploads, anna } = c;
  await store(uploads, anna, text("five!"));
  const bert = await setup.addAccount("bert", null);
  await parts.db.all("UPDATE account SET used = used + 7, reserved = 3 WHERE id = $1", anna);
  await parts.db.all("UPDATE account SET entries = entries - 1 WHERE id = $1", bert);
  const { list } = await verify(parts);
  assert.deepEqual(list.map(({ kind, path }) => `${kind} ${path}`), ["sums anna", "sums bert"]);
  assert.equal(list[0].what, "its sums are wrong: used should be 5, reserved 0, entries 1");
  let ended = false;
  const writer = (async () => {
    for (let i = 0; !ended; i++) await store(uploads, anna, text(`${i}`), named(`${i % 5}`));
  })();
  const nodes = Array.from({ length: 3 }, () => setup.node());
  const runs = await Promise.all(nodes.map(({ parts }) => verify(parts, { repair: true })));
  ended = true;
  await writer;
  assert.equal(runs.reduce((sum, { repaired }) => sum + repaired, 0), 2);
  await setup.check();
  assert.deepEqual((await verify(parts)).list, []);
});

test("an object of nobody is removed a day after its last write, and not before", async (c) => {
  const { parts, uploads, anna } = c;
  await store(uploads, anna, text("kept"));
  const [{ id }] = await parts.db.all<{ id: number }>(
    "INSERT INTO object (until) VALUES (now()) RETURNING id",
  );
  await parts.bucket.put(objectName(id), text("late"), sha256(text("late")));
  assert.deepEqual((await verify(parts)).list, [], "it is the collector's while it has a row");
  await parts.db.all("DELETE FROM object WHERE id = $1", id);
  const found = [`leftover ${objectName(id)}`];
  assert.deepEqual((await verify(parts)).kinds, found);
  const young = await verify(parts, { repair: true });
  assert.deepEqual([young.kinds, young.repaired], [found, 0]);
  const old = await verify(parts, { repair: true, orphanAgeMs: anyAge });
  assert.deepEqual([old.kinds, old.repaired], [found, 1]);
  assert.equal(await parts.bucket.size(objectName(id)), undefined);
  assert.deepEqual((await verify(parts)).list, []);
});

test("an object that this database has not made is reported, and never removed", async ({ parts, uploads, anna }) => {
  await store(uploads, anna, text("kept"));
  const later = objectName(1_000_000);
  const names = [later, "backup/a b+c&d%41é", "000/000000000001"];
  for (const name of names) await parts.bucket.put(name, text("x"), sha256(text("x")));
  await staysAsFound(parts, names.map((name) => `unknown ${name}`).sort());
  for (const name of names) {
    assert.equal(await parts.bucket.size(name), 1);
    await parts.bucket.delete(name);
  }
  assert.deepEqual((await verify(parts)).list, []);
});

test("a recorded object that no piece refers to goes to the collector", async (c) => {
  const { parts, uploads, anna } = c;
  await store(uploads, anna, text("kept"));
  const [{ id }] = await parts.db.all<{ id: number }>(
    "INSERT INTO object (until) VALUES (NULL) RETURNING id",
  );
  await parts.bucket.put(objectName(id), text("leaked"), sha256(text("leaked")));
  const repaired = await verify(parts, { repair: true });
  assert.deepEqual([repaired.kinds, repaired.repaired], [[`leftover ${objectName(id)}`], 1]);
  assert.deepEqual((await verify(parts)).list, []);
  await parts.db.all("UPDATE object SET until = now() - interval '1 hour' WHERE id = $1", id);
  await collectGarbage(parts);
  assert.equal(await parts.bucket.size(objectName(id)), undefined);
});

test("damage behind many pages of files, pieces and objects is found", async (c) => {
  const { setup, parts, uploads, anna } = c;
  const { db, bucket } = parts;
  await store(uploads, anna, text("x"));
  await db.all(
    `WITH new AS (INSERT INTO content (size, sha256)
       SELECT size, sha256 FROM content, generate_series(1, 1200) RETURNING id)
     INSERT INTO node (parent, name, folder, owner, size, sha256, content, modified)
     SELECT parent, convert_to('f' || new.id, 'UTF8'), false, owner, size, sha256, new.id, 0
     FROM node, new WHERE name = 'f'`,
  );
  await db.all(
    `INSERT INTO piece SELECT content.id, at, piece.size, object, start, piece.sha256
     FROM piece, content WHERE content.id <> piece.content`,
  );
  const objects = await db.all<{ id: number }>(
    `INSERT INTO object (until) SELECT now() + interval '1 hour' FROM generate_series(1, 10)
     RETURNING id`,
  );
  const names = objects.map(({ id }) => objectName(id)).sort();
  for (const name of names) await bucket.put(name, text("x"), sha256(text("x")));
  const listAll = bucket.list.bind(bucket);
  bucket.list = (after) => listAll(after, 3);
  const { list, checked, bytes } = await verify(parts);
  assert.deepEqual(list, []);
  assert.deepEqual([checked, bytes], [1201, 1201]);
  await setup.check();
  await db.all("DELETE FROM piece WHERE content = (SELECT max(id) FROM content)");
  await db.all("UPDATE node SET size = 2 WHERE id = (SELECT max(id) FROM node)");
  await db.all("DELETE FROM object WHERE id = $1", parseInt(names.at(-1)!.slice(4), 16));
  const [{ name }] = await db.all<{ name: string }>(
    "SELECT convert_from(name, 'UTF8') AS name FROM node ORDER BY id DESC LIMIT 1",
  );
  const wrong = [`leftover ${names.at(-1)}`, `missing homes/anna/${name}`];
  assert.deepEqual((await verify(parts)).kinds, [`changed homes/anna/${name}`, ...wrong]);
  await db.all("DELETE FROM object WHERE until IS NOT NULL");
  const all = await verify(parts, { repair: true, orphanAgeMs: anyAge });
  assert.equal(all.repaired, names.length);
});

test("a run ends when its signal is aborted, and reads no faster than it may", async (c) => {
  const { parts } = c;
  await storeLarge(c);
  const since = performance.now();
  await verify(parts, { maxBytesPerSecond: 2_000_000 });
  // The last of the three pieces, of 400 KiB, starts after the others' time.
  assert(performance.now() - since > 350, "faster than allowed");
  const stop = new AbortController();
  const onEvent = ({ type }: ReconcileEvent) => type === "bytes" && stop.abort();
  await assert.rejects(
    verify(parts, { signal: stop.signal, onEvent, maxBytesPerSecond: 1000 }),
    { name: "AbortError" },
  );
});
