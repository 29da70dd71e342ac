import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { get, type GetOptions } from "../../../core/client/get.ts";
import { put } from "../../../core/client/put.ts";
import { onTwoNodes } from "../../_server.ts";
import { noise, plant, recorder, Setup } from "./_setup.ts";

Deno.test("get: files, one by one", async (t) => {
  await using setup = await Setup.start();
  const { client, dir } = setup;
  const from = `${dir}/from`;
  const to = `${dir}/to`;
  const run = async (sources: string[], target: string, options: GetOptions = {}) => {
    const record = recorder();
    const totals = await get(client, sources, target, { ...options, onEvent: record.onEvent });
    return { ...record, totals, error: totals.error };
  };
  const names = () => Array.from(Deno.readDirSync(to), ({ name }) => name).sort();
  plant(from, { small: "hello", empty: "", large: noise(3_000_001) });
  plant(to, {});
  for (const name of ["small", "empty", "large"]) {
    Deno.utimeSync(`${from}/${name}`, 1, new Date(1_234_567_890_123));
    await put(client, [`${from}/${name}`], `/home/${name}`);
  }

  await t.step("small, empty and large files, with their times, over old ones", async () => {
    for (const name of ["small", "empty", "large"]) {
      plant(to, { [name]: "old" });
      const { results } = await run([`/home/${name}`], `${to}/${name}`);
      assert.equal(results()[0].status, "sent", String(results()[0].error));
      assert.deepEqual(Deno.readFileSync(`${to}/${name}`), Deno.readFileSync(`${from}/${name}`));
      assert.equal(Deno.statSync(`${to}/${name}`).mtime?.getTime(), 1_234_567_890_123);
    }
    assert.deepEqual(names(), ["empty", "large", "small"]);
  });

  await t.step("a folder takes the file inside, a name is the file's own", async () => {
    plant(to, { "sub/": "" });
    await run(["/home/small"], `${to}/sub`);
    await run(["/home/empty"], `${to}/sub/`);
    await run(["/home/small"], `${to}/sub/other`);
    assert.deepEqual(Array.from(Deno.readDirSync(`${to}/sub`), ({ name }) => name).sort(), [
      "empty",
      "other",
      "small",
    ]);
    assert.equal((await run(["/home/small"], `${to}/none/`)).error?.kind, "no-directory");
    assert.equal((await run(["/home/small"], `${to}/none/x`)).error?.kind, "no-directory");
    assert.equal((await run(["/home/large"], `${to}/none/x`)).error?.kind, "no-directory");
    assert.equal((await run(["/home/small", "/home/empty"], `${to}/x`)).totals.failed, 2);
    assert.equal((await run(["/home/none"], to)).error?.kind, "not-found");
    assert.equal((await run(["/home"], to)).error?.kind, "usage");
    assert.equal((await run(["/home/small"], "/dev/null")).totals.sent, 1);
    assert(Deno.lstatSync("/dev/null").isCharDevice);
    plant(to, { "small-dir/small/": "" });
    assert.equal((await run(["/home/small"], `${to}/small-dir`)).error?.kind, "exists");
  });

  await t.step("standard output", async () => {
    const pieces: Uint8Array[] = [];
    const output = {
      write(bytes: Uint8Array) {
        const n = Math.min(bytes.length, 10_000);
        pieces.push(bytes.slice(0, n));
        return Promise.resolve(n);
      },
    };
    const { totals } = await run(["/home/large"], "-", { output });
    assert.equal(totals.sent, 1);
    assert.deepEqual(
      new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer()),
      noise(3_000_001),
    );
  });

  await t.step("a failing local disk leaves the connection open", async () => {
    const output = { write: () => Promise.reject(new Deno.errors.BrokenPipe("broken pipe")) };
    const { error } = await run(["/home/large"], "-", { output });
    assert.match(error?.message ?? "", /broken pipe/);
    assert.equal((await run(["/home/small"], `${to}/small`)).totals.sent, 1);
  });

  await t.step(
    "without verification the server's digest is reported, and a resumed file is checked",
    async () => {
      const unchecked = await run(["/home/large"], `${to}/unchecked`, { verify: false });
      const sha256 = createHash("sha256").update(noise(3_000_001)).digest("hex");
      assert.equal(unchecked.results()[0].sha256, sha256);
      assert.deepEqual(Deno.readFileSync(`${to}/unchecked`), noise(3_000_001));
      Deno.writeFileSync(`${to}/.begun.${sha256.slice(0, 16)}.part`, new Uint8Array(1_000_000));
      const begun = await run(["/home/large"], `${to}/begun`, { verify: false });
      assert.equal(begun.error?.kind, "digest", "the first bytes are not the file's");
      assert.equal((await run(["/home/large"], `${to}/begun`, { verify: false })).totals.sent, 1);
      assert.deepEqual(Deno.readFileSync(`${to}/begun`), noise(3_000_001));
    },
  );

  await t.step("update and checksum", async () => {
    const status = async (options: GetOptions) =>
      (await run(["/home/large"], `${to}/large`, options)).results()[0].status;
    assert.equal(await status({ update: true }), "skipped");
    Deno.utimeSync(`${to}/large`, 1, 1);
    assert.equal(await status({ checksum: true }), "skipped");
    assert.equal(await status({ update: true, dryRun: true }), "sent");
    assert.equal(Deno.statSync(`${to}/large`).mtime?.getTime(), 1000);
    assert.equal(await status({ update: true }), "sent");
    assert.equal(await status({ update: true }), "skipped");
  });

  const changed = "a file that was changed on the server's disk fails or is noted";
  await t.step({
    name: changed,
    ignore: onTwoNodes,
    fn: async () => {
      Deno.writeFileSync(setup.disk("/home/large"), noise(3_000_001, 2));
      const { error, totals } = await run(["/home/large"], `${to}/damaged`);
      // Either its digest differs from the stored one, or the server has stored the new digest.
      if (totals.failed) {
        assert.equal(error?.kind, "digest");
        assert.ok(!names().includes("damaged"));
      } else assert.deepEqual(Deno.readFileSync(`${to}/damaged`), noise(3_000_001, 2));
      assert.deepEqual(names().filter((name) => name.endsWith(".part")), []);
    },
  });
});
