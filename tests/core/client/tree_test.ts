import assert from "node:assert/strict";
import { get, type GetOptions } from "../../../core/client/get.ts";
import { mkdir, remove } from "../../../core/client/change.ts";
import { put, type PutOptions } from "../../../core/client/put.ts";
import { entryAt } from "../../../core/client/stat.ts";
import { noise, plant, recorder, Setup, snapshot } from "./_setup.ts";

/** A tree with typical content and fixed times. */
function plantTree(root: string): void {
  plant(root, {
    "empty/": "",
    "a/b/c/deep": "deep",
    "a/none": "",
    "a/new\nline": "1",
    "-rf": "dash",
    "🚢/é": "unicode",
    "large": noise(700_000),
    "a/large too": noise(300_000, 3),
  });
  let time = 1_400_000_000_123;
  const age = (path: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(path)) {
      if (isDirectory) age(`${path}/${name}`);
      else Deno.utimeSync(`${path}/${name}`, 1, new Date(time += 1001));
    }
    Deno.utimeSync(path, 1, new Date(time += 1001));
  };
  age(root);
}

Deno.test("trees", async (t) => {
  await using setup = await Setup.start();
  const { client, dir } = setup;
  const tree = `${dir}/tree`;
  plantTree(tree);
  const up = async (sources: string[], target: string, options: PutOptions = {}) => {
    const record = recorder();
    const all = { recursive: true, ...options, onEvent: record.onEvent };
    const totals = await put(client, sources, target, all);
    return { ...record, totals };
  };
  const down = async (sources: string[], target: string, options: GetOptions = {}) => {
    const record = recorder();
    const all = { recursive: true, ...options, onEvent: record.onEvent };
    const totals = await get(client, sources, target, all);
    return { ...record, totals };
  };

  await t.step("a tree is sent and fetched with all its times", async () => {
    const { totals, events } = await up([tree], "/home/deep/er/");
    assert.equal(totals.failed, 0, String(totals.error));
    assert.deepEqual(events[0], { type: "plan", files: 7, bytes: 1_000_000 + 4 + 1 + 4 + 7 });
    assert.equal(totals.bytes, 1_000_000 + 4 + 1 + 4 + 7);
    const back = await down(["/home/deep/er/tree"], `${dir}/back`);
    assert.equal(back.totals.failed, 0, String(back.totals.error));
    assert.deepEqual(snapshot(`${dir}/back/tree`), snapshot(tree));
  });

  await t.step("a slash at the end stands for the contents", async () => {
    await up([`${tree}/`], "/home/contents");
    await down(["/home/contents/"], `${dir}/contents`);
    assert.deepEqual(snapshot(`${dir}/contents`), snapshot(tree));
    await down(["/home"], `${dir}/all`);
    const made = Array.from(Deno.readDirSync(`${dir}/all/home`), ({ name }) => name).sort();
    assert.deepEqual(made, ["contents", "deep"]);
  });

  await t.step("update transfers files that differ, in both directions", async () => {
    assert.equal((await up([`${tree}/`], "/home/contents", { update: true })).totals.skipped, 7);
    plant(tree, { "a/none": "some", "a/more/x": "x" });
    const { outcome, events } = await up([`${tree}/`], "/home/contents", { update: true });
    assert.deepEqual(outcome().filter((line) => line.startsWith("sent")), [
      "sent /home/contents/a/more/x",
      "sent /home/contents/a/none",
    ]);
    assert.deepEqual(events[0], { type: "plan", files: 2, bytes: 5 });
    const back = await down(["/home/contents/"], `${dir}/contents`, { update: true });
    assert.equal(back.totals.sent, 2);
    assert.deepEqual(snapshot(`${dir}/contents`), snapshot(tree));
    const again = await down(["/home/contents/"], `${dir}/contents`, { checksum: true });
    assert.equal(again.totals.sent, 0);
  });

  await t.step("delete makes both the same, except for excluded names", async () => {
    plant(dir, { "extra/x/keep.o": "o", "extra/x/gone": "", "extra/old/1": "", "extra/f": "" });
    await up([`${dir}/extra/`], "/home/contents");
    const options = { delete: true, update: true, exclude: ["*.o"] };
    const gone = ["/home/contents/f", "/home/contents/old", "/home/contents/x/gone"];
    const dry = await up([`${tree}/`], "/home/contents", { ...options, dryRun: true });
    assert.deepEqual(dry.removed(), gone);
    assert.ok(await entryAt(client, "/home/contents/old/1"));
    assert.deepEqual((await up([`${tree}/`], "/home/contents", options)).removed(), gone);
    assert.equal(await entryAt(client, "/home/contents/old"), null);
    assert.ok(await entryAt(client, "/home/contents/x/keep.o"));
    assert.deepEqual((await up([`${tree}/`], "/home/contents", { delete: true })).removed(), [
      "/home/contents/x",
    ]);

    plant(`${dir}/contents`, { "x/keep.o": "", "x/gone": "", "old/1": "" });
    Deno.symlinkSync("nowhere", `${dir}/contents/link`);
    const here = await down(["/home/contents/"], `${dir}/contents`, options);
    assert.deepEqual(here.removedHere(), [`${dir}/contents/old`, `${dir}/contents/x/gone`]);
    assert.match(here.notes()[0], /link is a symbolic link/);
    Deno.removeSync(`${dir}/contents/link`);
    await down(["/home/contents/"], `${dir}/contents`, { delete: true });
    assert.deepEqual(snapshot(`${dir}/contents`), snapshot(tree));
  });

  await t.step("nothing is removed after a failure", async () => {
    plant(dir, { "partly/ok": "", "partly/vanishes": "x" });
    plant(dir, { "partly-old/other": "" });
    await up([`${dir}/partly-old/`], "/home/partly");
    const record = recorder();
    await put(client, [`${dir}/partly/`], "/home/partly", {
      recursive: true,
      delete: true,
      onEvent(event) {
        record.onEvent(event);
        if (event.type === "plan") Deno.removeSync(`${dir}/partly/vanishes`);
      },
    });
    assert.deepEqual(record.outcome(), ["failed /home/partly/vanishes", "sent /home/partly/ok"]);
    assert.equal(record.results().find(({ error }) => error)?.error?.kind, "not-found");
    assert.ok(await entryAt(client, "/home/partly/other"));
    assert.match(record.notes()[0], /nothing was removed/);
  });

  await t.step("exclude, links and clashes of files and folders", async () => {
    plant(dir, { "mixed/a.o": "", "mixed/sub/b.o": "", "mixed/sub/c": "c", "mixed/build/x": "" });
    Deno.symlinkSync("sub", `${dir}/mixed/link`);
    const exclude = ["*.o", "/build/"];
    const plain = await up([`${dir}/mixed`], "/home/", { exclude });
    assert.deepEqual(plain.outcome(), ["sent /home/mixed/sub/c"]);
    assert.match(plain.notes()[0], /symbolic link/);
    assert.equal(await entryAt(client, "/home/mixed/build"), null);
    const followed = await up([`${dir}/mixed`], "/home/", { exclude, follow: true });
    assert.deepEqual(followed.outcome(), ["sent /home/mixed/link/c", "sent /home/mixed/sub/c"]);
    const back = await down(["/home/mixed"], dir, { exclude: ["link"] });
    assert.deepEqual(back.outcome(), ["sent /home/mixed/sub/c"]);

    await mkdir(client, "/home/clash/f", { parents: true });
    plant(dir, { "clash/f": "file", "clash/ok": "" });
    const clash = await up([`${dir}/clash`], "/home/");
    assert.deepEqual(clash.outcome(), ["failed /home/clash/f", "sent /home/clash/ok"]);
    await up([`${dir}/clash/ok`], "/home/mixed/taken");
    const over = await up([`${dir}/clash/`], "/home/mixed/taken");
    assert.equal(over.totals.failed, 1);
    assert.equal(over.totals.sent, 0);
  });

  await t.step("a dry run of a tree changes nothing", async () => {
    const { totals } = await up([tree], "/home/dry/", { dryRun: true });
    assert.equal(totals.sent, 8);
    assert.equal(await entryAt(client, "/home/dry"), null);
    const back = await down(["/home/contents"], `${dir}/dry`, { dryRun: true });
    assert.equal(back.totals.sent, 8);
    assert.throws(() => Deno.statSync(`${dir}/dry`));
  });

  await t.step("a thousand small files", async () => {
    const files: Record<string, Uint8Array> = {};
    for (let i = 0; i < 1000; i++) files[`${i % 20}/${i}`] = noise(i % 5000, i);
    plant(`${dir}/many`, files);
    assert.equal((await up([`${dir}/many`], "/home/")).totals.sent, 1000);
    assert.equal((await down(["/home/many/"], `${dir}/many2`)).totals.sent, 1000);
    assert.deepEqual(snapshot(`${dir}/many2`), snapshot(`${dir}/many`));
    await remove(client, "/home/many", { recursive: true });
  });

  await t.step("a signal ends a transfer at once", async () => {
    const stop = new AbortController();
    await using other = await setup.connect(setup.server.address, stop.signal);
    const transfer = put(other, [`${dir}/many`], "/home/", {
      recursive: true,
      onEvent: (event) => event.type === "done" && stop.abort(),
    });
    await assert.rejects(transfer, (error) => (error as { kind: string }).kind === "interrupted");
  });
});
