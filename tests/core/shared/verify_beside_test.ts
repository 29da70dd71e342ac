/** A check of shared storage reports no change that is under way, on real engines. */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { collectGarbage } from "../../../core/shared/upload/garbage.ts";
import { objectName } from "../../../core/shared/bucket/objects.ts";
import type { Parts } from "../../../core/shared/bucket/parts.ts";
import type { Problem } from "../../../core/storage/problem.ts";
import type { SharedSetup } from "../../contract/store/_shared.ts";
import { always, readWhole } from "../../contract/store/_suite_tree.ts";
import { commit, declared, file, guard, store, text } from "../../contract/store/_suite_uploads.ts";
import { anyAge, bytesOf, named, objectsOf, sha256, test, verify } from "./_verify.ts";

/** Does work once, before a method of the bucket is called, or after it. */
function meanwhile(
  { bucket }: Parts,
  method: "get" | "list",
  when: "before" | "after",
  work: () => Promise<void>,
): void {
  const original = bucket[method].bind(bucket) as (...args: unknown[]) => Promise<never>;
  bucket[method] = async (...args: unknown[]) => {
    bucket[method] = original;
    if (when === "before") await work();
    const result = await original(...args);
    if (when === "after") await work();
    return result;
  };
}

test("a file that is removed while it is read is not reported", async (c) => {
  const { setup, parts, uploads, tree, anna } = c;
  await store(uploads, anna, text("removed"));
  await noteReferred(setup);
  meanwhile(parts, "get", "before", async () => {
    await tree.remove(file, anna, always);
    await collectAtOnce(setup);
  });
  assert.deepEqual((await verify(parts)).list, []);
  assert.deepEqual(await objectsOf(parts), []);
});

test("a piece of an upload that is replaced while it is read is not reported", async (c) => {
  const { setup, parts, uploads, anna } = c;
  const open = await uploads.begin(declared(anna, 10), { keep: 0 });
  await open.body.write(text("old"));
  await open.body.flush();
  const [old] = await objectsOf(parts);
  await noteReferred(setup);
  meanwhile(parts, "get", "before", async () => {
    await open.body.writeAt(0, text("new"));
    await open.body.flush();
    await collectAtOnce(setup);
  });
  assert.deepEqual((await verify(parts)).list, []);
  assert.equal(await parts.bucket.size(objectName(old)), undefined);
  await open.drop();
});

test("pieces of an upload that change between two pages are not reported", async (c) => {
  const { parts, uploads, anna } = c;
  const open = await uploads.begin(declared(anna, 10), { keep: 0 });
  await open.body.write(new Uint8Array(255));
  await open.body.flush();
  await open.body.write(new Uint8Array(10));
  await open.body.flush();
  const { db } = parts;
  await db.all(
    `INSERT INTO piece SELECT content, i, 1, object, start, NULL FROM piece, generate_series(1, 254) AS i
     WHERE at = 0`,
  );
  await db.all("UPDATE piece SET size = 1, sha256 = NULL WHERE at = 0");
  let gets = 0;
  const { bucket } = parts;
  const get = bucket.get.bind(bucket);
  bucket.get = async (name, part) => {
    // The object of the first pieces is read twice, and kept then.
    if (++gets === 3) {
      await db.all(
        `INSERT INTO piece SELECT content, 256, 9, object, 1, NULL FROM piece WHERE at = 255`,
      );
      await db.all("UPDATE piece SET size = 1, sha256 = NULL WHERE at = 255");
    }
    return await get(name, part);
  };
  assert.deepEqual((await verify(parts)).list, []);
  assert(gets >= 3);
  await open.drop();
});

test("an object that the collector deletes while the bucket is listed is not reported", async (c) => {
  const { parts } = c;
  const [{ id }] = await parts.db.all<{ id: number }>(
    "INSERT INTO object (until) VALUES (now() - interval '1 hour') RETURNING id",
  );
  await parts.bucket.put(objectName(id), text("late"), sha256(text("late")));
  meanwhile(parts, "list", "after", async () => void await collectGarbage(parts));
  assert.deepEqual((await verify(parts)).list, []);
  assert.equal(await parts.bucket.size(objectName(id)), undefined);
});

/** Notes the objects that pieces refer to: once none does, the collector may have them. */
async function noteReferred({ first: { db } }: SharedSetup): Promise<void> {
  await db.all("CREATE TABLE IF NOT EXISTS referred (object bigint)");
  await db.all("INSERT INTO referred SELECT DISTINCT object FROM piece");
}

/** Collects what nothing refers to any more, as if it had been so for long. */
async function collectAtOnce(setup: SharedSetup): Promise<void> {
  const { db } = setup.first;
  await noteReferred(setup);
  await db.all(
    `UPDATE object SET until = now() - interval '1 hour'
     WHERE until > now() AND id IN (SELECT object FROM referred)`,
  );
  await setup.collect();
}

test("runs with repair beside twenty writers report nothing, and remove nothing", async (c) => {
  const { setup, parts, anna } = c;
  const nodes = Array.from({ length: 3 }, () => setup.node());
  let ended = false;
  const written = new Map<string, Uint8Array>();
  const writers = Array.from({ length: 20 }, async (_, n) => {
    const { uploads, tree } = nodes[n % nodes.length];
    const place = named(`w${n}`);
    const other = named(`v${n}`);
    for (let i = n; !ended; i++) {
      const bytes = text(`${n}/${i}`);
      try {
        if (i % 5 === 0) {
          const open = await uploads.begin(declared(anna, null, place), { keep: 0 });
          await open.reserve(400_000);
          await open.body.write(bytesOf(300_000 + i));
          await open.body.writeAt(10, bytes);
          await open.body.flush();
          await open.body.writeAt(100_000, bytes);
          if (i % 2 === 0) await open.drop();
          else await commit(open, place);
        } else if (i % 5 === 1) {
          await uploads.copy(place, declared(anna, null, other), guard(other));
        } else if (i % 5 === 2) await tree.move(place, other, anna, always);
        else if (i % 5 === 3) await tree.remove(other, anna, always);
        else await store(uploads, anna, bytes, place);
      } catch (error) {
        if (!(error instanceof BargeError && error.kind === "not-found")) throw error;
      }
    }
    await store(nodes[n % nodes.length].uploads, anna, text(`end ${n}`), place);
    written.set(place.name, text(`end ${n}`));
  });
  const found: Problem[] = [];
  const until = performance.now() + 6_000;
  const verifiers = [parts, setup.node().parts].map(async (parts) => {
    let runs = 0;
    for (; performance.now() < until || runs < 3; runs++) {
      found.push(...(await verify(parts, { repair: true, orphanAgeMs: anyAge })).list);
      await collectAtOnce(setup);
    }
    return runs;
  });
  try {
    await Promise.all(verifiers);
  } finally {
    ended = true;
    await Promise.all(writers);
  }
  assert.deepEqual(found, []);
  await setup.check();
  assert.equal(written.size, 20);
  for (const [name, bytes] of written) {
    assert.deepEqual(await readWhole(c.tree, named(name)), bytes);
  }
  assert.deepEqual((await verify(parts)).list, []);
});
