import assert from "node:assert/strict";
import { get } from "../../../core/client/get.ts";
import { put } from "../../../core/client/put.ts";
import { stat } from "../../../core/client/stat.ts";
import { Cutter, noise, plant, recorder, Setup, snapshot } from "./_setup.ts";

Deno.test("interrupted transfers resume", async (t) => {
  await using setup = await Setup.start();
  const { client, dir, server } = setup;
  const size = 5_000_000;
  plant(dir, { big: noise(size) });
  const cutPut = async (sources: string[], target: string, up: number) => {
    await using cutter = new Cutter(server.address, { up });
    await using other = await setup.connect(cutter.address);
    const record = recorder();
    await put(other, sources, target, { recursive: true, onEvent: record.onEvent });
    return record;
  };
  const cutGet = async (sources: string[], target: string, down: number) => {
    await using cutter = new Cutter(server.address, { down });
    await using other = await setup.connect(cutter.address);
    const record = recorder();
    await get(other, sources, target, { recursive: true, onEvent: record.onEvent });
    return record;
  };
  /** Returns the staged bytes; the server may still be reading what arrived before the cut. */
  const staged = async (path: string) => (await stat(client, path)).upload?.offset ?? 0;

  await t.step("an upload", async () => {
    const [cut] = (await cutPut([`${dir}/big`], "/home/big", 3_000_000)).results();
    assert.equal(cut.status, "failed");
    assert.equal(cut.error?.kind, "unavailable");
    assert.equal(cut.error?.hint, "run the same command again to resume");
    assert.match(
      String(cut.error),
      /^put \/home\/big: lost the connection to the server 127\.0\.0\.1:\d+ \(.+\)$/,
    );
    const stagedBytes = await staged("/home/big");
    assert.ok(stagedBytes < 3_000_000, `${stagedBytes}`);
    const record = recorder();
    const totals = await put(client, [`${dir}/big`], "/home/big", record);
    const [result] = record.results();
    assert.equal(result.status, "resumed", String(result.error));
    assert.ok(result.offset > 0 && result.offset >= stagedBytes, `${result.offset}`);
    assert.equal(record.starts()[0].offset, result.offset);
    assert.equal(totals.bytes, size - result.offset);
    assert.deepEqual(await server.readFile("/home/big"), noise(size));
  });

  await t.step("an upload of a file that has changed restarts", async () => {
    await cutPut([`${dir}/big`], "/home/other", 3_000_000);
    plant(dir, { big: noise(size, 2) });
    const record = recorder();
    await put(client, [`${dir}/big`], "/home/other", record);
    assert.equal(record.results()[0].status, "sent");
    assert.deepEqual(await server.readFile("/home/other"), noise(size, 2));
    plant(dir, { big: noise(size) });
  });

  await t.step("a download", async () => {
    const [cut] = (await cutGet(["/home/big"], `${dir}/got`, 3_000_000)).results();
    assert.equal(cut.error?.kind, "unavailable");
    assert.match(
      String(cut.error),
      /^get \/home\/big: lost the connection to the server \S+ \(.+\)$/,
    );
    const parts = () =>
      Array.from(Deno.readDirSync(dir), ({ name }) => name).filter((name) => /\.part$/.test(name));
    assert.equal(parts().length, 1);
    const had = Deno.statSync(`${dir}/${parts()[0]}`).size;
    const record = recorder();
    const totals = await get(client, ["/home/big"], `${dir}/got`, record);
    assert.equal(record.results()[0].status, "resumed");
    assert.equal(totals.bytes, size - had);
    assert.deepEqual(parts(), []);
    assert.deepEqual(Deno.readFileSync(`${dir}/got`), noise(size));
  });

  await t.step("a part with wrong bytes is not resumed", async () => {
    await cutGet(["/home/big"], `${dir}/bad`, 3_000_000);
    const [part] = Array.from(Deno.readDirSync(dir), ({ name }) => name)
      .filter((name) => name.startsWith(".bad."));
    Deno.writeFileSync(`${dir}/${part}`, new Uint8Array(1_000_000));
    const first = await get(client, ["/home/big"], `${dir}/bad`);
    assert.equal(first.error?.kind, "digest");
    const second = await get(client, ["/home/big"], `${dir}/bad`);
    assert.equal(second.sent, 1);
    assert.deepEqual(Deno.readFileSync(`${dir}/bad`), noise(size));
  });

  await t.step("a part of an older file is removed", async () => {
    await cutGet(["/home/big"], `${dir}/stale`, 3_000_000);
    await get(client, ["/home/other"], `${dir}/stale`);
    const left = Array.from(Deno.readDirSync(dir), ({ name }) => name);
    assert.deepEqual(left.filter((name) => name.startsWith(".stale")), []);
  });

  await t.step("trees", async () => {
    const files: Record<string, Uint8Array> = { "z/big": noise(2_000_000) };
    for (let i = 0; i < 300; i++) files[`a/${i}`] = noise(4096, i);
    plant(`${dir}/tree`, files);
    const cut = await cutPut([`${dir}/tree`], "/home/", 2_500_000);
    const failed = cut.results().filter(({ status }) => status === "failed");
    assert.ok(failed.length > 0);
    assert.ok(failed.every(({ error }) => error?.kind === "unavailable"));
    const totals = await put(client, [`${dir}/tree`], "/home/", { recursive: true, update: true });
    assert.equal(totals.failed, 0);
    assert.ok(totals.skipped > 0);
    const down = await cutGet(["/home/tree"], `${dir}/back`, 2_500_000);
    assert.ok(down.results().some(({ status }) => status === "failed"));
    await get(client, ["/home/tree"], `${dir}/back`, { recursive: true, update: true });
    assert.deepEqual(snapshot(`${dir}/back/tree`), snapshot(`${dir}/tree`));
  });
});
