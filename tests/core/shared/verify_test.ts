/** A check of shared storage finds each kind of damage to files and partial uploads, on real engines. */
import assert from "node:assert/strict";
import { objectName } from "../../../core/shared/bucket/objects.ts";
import type { ReconcileEvent } from "../../../core/storage/problem.ts";
import { declared, file, guard, store, text } from "../../contract/store/_suite_uploads.ts";
import {
  bytesOf,
  named,
  objectsOf,
  path,
  sha256,
  staysAsFound,
  storeLarge,
  test,
  verify,
} from "./_verify.ts";

test("storage without damage is read once, and nothing is reported", async (c) => {
  const { parts, uploads, anna } = c;
  await storeLarge(c);
  await Promise.all(["a", "b", "c"].map((name) => store(uploads, anna, text(name), named(name))));
  await store(uploads, anna, text(""), named("empty"));
  const copy = named("copy");
  await uploads.copy(file, declared(anna, null, copy), guard(copy));
  const partial = await uploads.begin(declared(anna, 10, named("partial")), { keep: 0 });
  await partial.body.writeAt(4, text("gap"));
  await partial.body.flush();
  const events: ReconcileEvent[] = [];
  const { list, checked, bytes } = await verify(parts, { onEvent: (event) => events.push(event) });
  assert.deepEqual(list, []);
  assert.deepEqual({ checked, bytes }, { checked: 6, bytes: 1_200_006 });
  assert.deepEqual(events[0], { type: "plan", files: 6, bytes: 2_400_003 });
  const skipped = events.map((event) => event.type === "start" ? event.skipped : 0);
  assert.deepEqual(skipped.filter((each) => each > 0), [1_200_000]);
  assert.equal(events.filter(({ type }) => type === "done").length, 6);
  await partial.drop();
});

test("a lost object is reported for each file that has it, and the files stay", async (c) => {
  const { parts, uploads, anna, tree } = c;
  await storeLarge(c);
  const copy = named("copy");
  await uploads.copy(file, declared(anna, null, copy), guard(copy));
  const [, second] = await objectsOf(parts);
  await parts.bucket.delete(objectName(second));
  const { list } = await staysAsFound(parts, ["missing homes/anna/copy", `missing ${path}`]);
  assert.match(list[0].what, /the bytes from 262144 to 786432 are lost/);
  assert.equal((await tree.entry(file))?.size, 1_200_000);
  assert.deepEqual((await verify(parts, { contents: false })).kinds.length, 2);
});

test("other bytes in an object are damage, with both digests", async (c) => {
  const { parts } = c;
  await storeLarge(c);
  const [first] = await objectsOf(parts);
  const other = bytesOf(262_144).fill(0);
  await parts.bucket.put(objectName(first), other, sha256(other));
  const { list: [problem] } = await staysAsFound(parts, [`damaged ${path}`]);
  const whole = bytesOf(1_200_000);
  assert.equal(problem.expected, sha256(whole));
  whole.fill(0, 0, 262_144);
  assert.equal(problem.found, sha256(whole));
});

test("one damaged file of a pack is found among the others", async ({ parts, uploads, anna }) => {
  const names = ["a", "b", "c"];
  await Promise.all(names.map((name) => store(uploads, anna, text(name), named(name))));
  const [pack] = await objectsOf(parts);
  await parts.bucket.put(objectName(pack), text("axc"), sha256(text("axc")));
  await staysAsFound(parts, ["damaged homes/anna/b"]);
  await parts.bucket.put(objectName(pack), text("ab"), sha256(text("ab")));
  await staysAsFound(parts, ["damaged homes/anna/c"]);
  const quick = await verify(parts, { contents: false });
  assert.deepEqual(quick.kinds, ["damaged homes/anna/c"]);
  assert.equal(quick.bytes, 0);
});

for (
  const [which, condition, from, to] of [
    ["its first piece", "at = 0", 0, 262_144],
    ["a piece in the middle", "at = 262144", 262_144, 786_432],
    ["its last piece", "at = 786432", 786_432, 1_200_000],
    ["pieces", "true", 0, 1_200_000],
  ] as const
) {
  test(`a file without ${which} is reported`, async (c) => {
    const { parts } = c;
    await storeLarge(c);
    await parts.db.all(`DELETE FROM piece WHERE ${condition}`);
    await parts.db.all(
      "UPDATE object SET until = now() + interval '1 hour' WHERE until IS NULL AND NOT EXISTS (SELECT 1 FROM piece WHERE object = id)",
    );
    const { list: [problem] } = await staysAsFound(parts, [`missing ${path}`]);
    assert.equal(problem.what, `the bytes from ${from} to ${to} are in no piece`);
  });
}

test("pieces that overlap, and bytes beyond the end, are damage", async (c) => {
  const { parts } = c;
  await storeLarge(c);
  await storeLarge(c, 600_000, named("g"));
  await parts.db.all(
    `INSERT INTO piece SELECT content, 5, 10, object, start, sha256 FROM piece
     WHERE at = 0 AND content = (SELECT content FROM node WHERE name = 'f')`,
  );
  await parts.db.all(
    `INSERT INTO piece SELECT content, 600000, 10, object, start, NULL FROM piece
     WHERE at = 0 AND content = (SELECT content FROM node WHERE name = 'g')`,
  );
  const { list } = await staysAsFound(parts, [`damaged ${path}`, "damaged homes/anna/g"]);
  assert.match(list.find((each) => each.path === path)!.what, /two pieces have the byte at 5/);
});

test("a digest that is not that of the pieces is damage", async (c) => {
  const { parts } = c;
  await storeLarge(c);
  const wrong = "00".repeat(32);
  for (const table of ["node", "content"]) {
    await parts.db.all(`UPDATE ${table} SET sha256 = decode($1, 'hex') WHERE size > 0`, wrong);
  }
  const { list: [problem] } = await staysAsFound(parts, [`damaged ${path}`]);
  assert.equal(problem.expected, wrong);
  assert.equal(problem.found, sha256(bytesOf(1_200_000)));
});

test("a file whose row differs from its content is reported", async ({ parts, uploads, anna }) => {
  for (const name of ["a", "b", "c"]) await store(uploads, anna, text(name), named(name));
  await parts.db.all("UPDATE node SET size = 7 WHERE name = 'a'");
  await parts.db.all("UPDATE node SET sha256 = NULL WHERE name = 'b'");
  await parts.db.all("UPDATE node SET content = NULL WHERE name = 'c'");
  const found = ["changed homes/anna/a", "changed homes/anna/b", "missing homes/anna/c"];
  await staysAsFound(parts, found);
});

test("the lost and the damaged bytes of a partial upload are reported", async ({ parts, uploads, anna }) => {
  const names = ["lost", "other"];
  for (const name of names) {
    const open = await uploads.begin(declared(anna, 20, named(name)), { keep: 0 });
    await open.body.write(text("partial"));
    await open.detach();
  }
  const [lost, other] = await objectsOf(parts);
  await parts.bucket.delete(objectName(lost));
  await parts.bucket.put(objectName(other), text("changed"), sha256(text("changed")));
  const { list } = await staysAsFound(parts, [
    "damaged homes/anna/other",
    "missing homes/anna/lost",
  ]);
  for (const { what } of list) assert.match(what, /^a partial upload: /);
  assert.equal(list.find(({ kind }) => kind === "damaged")!.expected, sha256(text("partial")));
});
