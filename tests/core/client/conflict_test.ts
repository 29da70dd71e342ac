import assert from "node:assert/strict";
import { get, type GetOptions } from "../../../core/client/get.ts";
import { put, type PutOptions } from "../../../core/client/put.ts";
import { remove } from "../../../core/client/change.ts";
import { entryAt } from "../../../core/client/stat.ts";
import { plant, recorder, Setup, snapshot } from "./_setup.ts";

Deno.test("trees in which a folder became a file and a file a folder", async (t) => {
  await using setup = await Setup.start();
  const { client, dir } = setup;
  const up = async (sources: string[], target: string, options: PutOptions = {}) => {
    const record = recorder();
    const all = { recursive: true, ...options, onEvent: record.onEvent };
    return { ...record, totals: await put(client, sources, target, all) };
  };
  const down = async (sources: string[], target: string, options: GetOptions = {}) => {
    const record = recorder();
    const all = { recursive: true, ...options, onEvent: record.onEvent };
    return { ...record, totals: await get(client, sources, target, all) };
  };
  const mirror = { update: true, delete: true } as const;
  const src = `${dir}/src`;
  const turned = () => {
    Deno.removeSync(src, { recursive: true });
    plant(src, { "a": "file", "b/deep": "deep", "k/k": "3" });
  };
  const before = async (target: string) => {
    await remove(client, target, { recursive: true }).catch(() => {});
    Deno.mkdirSync(src, { recursive: true });
    Deno.removeSync(src, { recursive: true });
    plant(src, { "a/in": "1", "a/x.o": "o", "b": "2", "k/k": "3", "gone": "4" });
    await up([`${src}/`], target);
    turned();
  };

  await t.step("put --delete makes both the same, and a second run changes nothing", async () => {
    await before("/home/m");
    const dry = await up([`${src}/`], "/home/m", { ...mirror, dryRun: true });
    assert.deepEqual(dry.removed(), ["/home/m/a", "/home/m/b", "/home/m/gone"]);
    assert.equal((await entryAt(client, "/home/m/a/in"))?.type, "file");
    const first = await up([`${src}/`], "/home/m", mirror);
    assert.equal(first.totals.failed, 0, String(first.totals.error));
    assert.deepEqual(first.removed(), ["/home/m/a", "/home/m/b", "/home/m/gone"]);
    await get(client, ["/home/m/"], `${dir}/stored`, { recursive: true });
    assert.deepEqual(snapshot(`${dir}/stored`), snapshot(src));
    const second = await up([`${src}/`], "/home/m", mirror);
    assert.deepEqual([second.totals.skipped, second.totals.removed], [3, 0]);
  });

  await t.step("put without --delete removes nothing, and its hint names --delete", async () => {
    for (const update of [false, true]) {
      await before("/home/m");
      const { totals, results } = await up([`${src}/`], "/home/m", { update });
      const errors = results().flatMap(({ path, error }) => error ? [[path, error.kind]] : []);
      assert.deepEqual(errors.filter(([path]) => path === "/home/m/a"), [["/home/m/a", "exists"]]);
      assert.equal(totals.error?.hint, "--delete removes what is in the way");
      assert.equal(totals.removed, 0);
      assert.equal((await entryAt(client, "/home/m/a/in"))?.type, "file");
      assert.equal((await entryAt(client, "/home/m/b"))?.type, "file");
    }
  });

  await t.step("put --delete keeps a folder that holds an excluded name", async () => {
    await before("/home/m");
    const { totals, outcome } = await up([`${src}/`], "/home/m", { ...mirror, exclude: ["*.o"] });
    assert.deepEqual(outcome().filter((line) => line.startsWith("failed")), ["failed /home/m/a"]);
    assert.equal(totals.error?.kind, "exists");
    assert.match(totals.error!.message, /a filter protects \/home\/m\/a\/x\.o/);
    assert.equal((await entryAt(client, "/home/m/a/x.o"))?.type, "file");
    assert.equal((await entryAt(client, "/home/m/gone"))?.type, "file");
  });

  await t.step("get --delete makes both the same, and a second run changes nothing", async () => {
    await before("/home/m");
    await up([`${src}/`], "/home/m", mirror);
    const here = `${dir}/here`;
    plant(here, { "a/in": "1", "b": "2", "k/k": "3", "gone": "4" });
    const dry = await down(["/home/m/"], here, { ...mirror, dryRun: true });
    assert.deepEqual(dry.removedHere(), [`${here}/a`, `${here}/b`, `${here}/gone`]);
    assert(Deno.statSync(`${here}/a/in`).isFile);
    const first = await down(["/home/m/"], here, mirror);
    assert.equal(first.totals.failed, 0, String(first.totals.error));
    assert.deepEqual(first.removedHere(), [`${here}/a`, `${here}/b`, `${here}/gone`]);
    assert.deepEqual(snapshot(here), snapshot(src));
    assert.equal((await down(["/home/m/"], here, mirror)).totals.skipped, 3);
  });

  await t.step("get without --delete removes nothing", async () => {
    const here = `${dir}/kept`;
    plant(here, { "a/in": "1", "b": "2" });
    const { totals, outcome } = await down(["/home/m/"], here);
    assert.deepEqual(outcome().filter((line) => line.startsWith("failed")), [
      "failed /home/m/a",
      "failed /home/m/b",
      "failed /home/m/b/deep",
    ]);
    assert.deepEqual([totals.error?.kind, totals.removed], ["exists", 0]);
    assert.equal(Deno.readTextFileSync(`${here}/a/in`), "1");
  });

  await t.step("get --delete keeps a folder that holds links or excluded names", async () => {
    const here = `${dir}/linked`;
    plant(here, { "a/in": "1" });
    Deno.symlinkSync(src, `${here}/a/link`);
    const { totals } = await down(["/home/m/"], here, mirror);
    assert.match(totals.error!.message, /with link in it, which a download never removes/);
    Deno.removeSync(`${here}/a/link`);
    plant(here, { "a/x.o": "o" });
    const excluded = await down(["/home/m/"], here, { ...mirror, exclude: ["*.o"] });
    assert.match(excluded.totals.error!.message, /a filter protects .*a\/x\.o/);
    assert(Deno.statSync(`${here}/a/x.o`).isFile);
  });
});

Deno.test("two sources of one name are refused before the first byte", async (t) => {
  await using setup = await Setup.start();
  const { client, dir } = setup;
  plant(dir, { "a/x": "1", "b/x": "2", "a/d/f": "1", "b/d/g": "2" });
  const refused = (work: Promise<unknown>) =>
    assert.rejects(work, { kind: "usage", message: /would both become/ });

  await t.step("put", async () => {
    const deep = { recursive: true };
    await refused(put(client, [`${dir}/a/x`, `${dir}/b/x`], "/home/"));
    await refused(put(client, [`${dir}/a/d`, `${dir}/b/d`], "/home/", deep));
    await refused(put(client, [`${dir}/a/`, `${dir}/b/`], "/home/m", deep));
    assert.equal(await entryAt(client, "/home/x"), null);
    assert.equal(await entryAt(client, "/home/m"), null);
    const { failed } = await put(client, [`${dir}/a/d/`, `${dir}/b/d/`], "/home/m", deep);
    assert.equal(failed, 0);
    await assert.rejects(
      put(client, [`${dir}/a/d/`, `${dir}/b/d/`], "/home/m", { ...deep, delete: true }),
      { kind: "usage" },
    );
  });

  await t.step("get", async () => {
    await put(client, [`${dir}/a`, `${dir}/b`], "/home/", { recursive: true });
    const here = `${dir}/here`;
    Deno.mkdirSync(here);
    await refused(get(client, ["/home/a/x", "/home/b/x"], here));
    await refused(get(client, ["/home/a/d", "/home/b/d"], here, { recursive: true }));
    await refused(get(client, ["/home/a/", "/home/b/"], here, { recursive: true }));
    assert.deepEqual([...Deno.readDirSync(here)], []);
  });
});

Deno.test("a tree omits parts of interrupted downloads; a named part is sent", async () => {
  await using setup = await Setup.start();
  const { client, dir } = setup;
  const part = ".film.0123456789abcdef.part";
  plant(`${dir}/t`, { [part]: "some", "film.part": "a file", "sub/x": "x" });
  plant(`${dir}/t/sub`, { [part]: "some" });
  const record = recorder();
  await put(client, [`${dir}/t`], "/home/", { recursive: true, onEvent: record.onEvent });
  assert.deepEqual(record.outcome(), ["sent /home/t/film.part", "sent /home/t/sub/x"]);
  assert.deepEqual(record.notes(), [
    `${dir}/t/${part} is part of an interrupted download: left out`,
    `${dir}/t/sub/${part} is part of an interrupted download: left out`,
  ]);
  assert.equal((await put(client, [`${dir}/t/${part}`], "/home/")).sent, 1);
});

Deno.test("noClobber replaces nothing, in either direction", async () => {
  await using setup = await Setup.start();
  const { client, dir } = setup;
  plant(dir, { "small": "old", "large": new Uint8Array(3_000_000) });
  const sources = [`${dir}/small`, `${dir}/large`];
  assert.equal((await put(client, sources, "/home/", { noClobber: true })).sent, 2);
  plant(dir, { "small": "new", "large": new Uint8Array(2_000_000) });
  for (const dryRun of [true, false]) {
    const { failed, error } = await put(client, sources, "/home/", { noClobber: true, dryRun });
    assert.deepEqual([failed, error?.kind], [2, "exists"]);
    const down = await get(client, ["/home/small"], dir, { noClobber: true, dryRun });
    assert.deepEqual([down.failed, down.error?.kind], [1, "exists"]);
  }
  const input = { read: () => Promise.resolve(null) };
  assert.equal((await put(client, ["-"], "/home/small", { noClobber: true, input })).failed, 1);
  assert.equal((await entryAt(client, "/home/small"))?.size, 3);
  assert.equal(Deno.readTextFileSync(`${dir}/small`), "new");
});
