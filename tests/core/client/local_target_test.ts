import assert from "node:assert/strict";
import { get, type GetOptions } from "../../../core/client/get.ts";
import { isStandardOutput, localTarget } from "../../../core/client/download/local_target.ts";
import { put } from "../../../core/client/put.ts";
import { BargeError } from "../../../core/error.ts";
import { onTwoNodes } from "../../_server.ts";
import { noise, plant, recorder, Setup } from "./_setup.ts";

const text = (path: string) => Deno.readTextFileSync(path);
const isLink = (path: string) => Deno.lstatSync(path).isSymlink;

Deno.test("a download into links, devices and FIFOs", async (t) => {
  await using setup = await Setup.start();
  const { client, dir } = setup;
  plant(`${dir}/src`, { "f": "hello", "sub/in": "in", "large": noise(900_000) });
  await put(client, [`${dir}/src/`], "/home/t", { recursive: true });
  const down = async (source: string, target: string, options: GetOptions = {}) => {
    const record = recorder();
    const totals = await get(client, [source], target, { ...options, onEvent: record.onEvent });
    return { ...record, totals, error: totals.error };
  };
  const here = `${dir}/here`;
  Deno.mkdirSync(here);

  await t.step("a link to a file stays, and the file is replaced", async () => {
    plant(dir, { "real/file": "old" });
    Deno.chmodSync(`${dir}/real/file`, 0o640);
    Deno.symlinkSync("../real/file", `${here}/f`);
    for (const target of [`${here}/f`, here]) {
      Deno.writeTextFileSync(`${dir}/real/file`, "old");
      assert.equal((await down("/home/t/f", target)).totals.sent, 1);
      assert(isLink(`${here}/f`));
      assert.equal(text(`${dir}/real/file`), "hello");
      assert.equal(Deno.statSync(`${dir}/real/file`).mode! & 0o777, 0o640);
    }
    assert.deepEqual([...Deno.readDirSync(`${dir}/real`)].map(({ name }) => name), ["file"]);
  });

  await t.step("a link to nothing is refused, and stays", async () => {
    Deno.symlinkSync(`${dir}/nothing`, `${here}/dangling`);
    const { error } = await down("/home/t/f", `${here}/dangling`);
    assert.deepEqual([error?.kind, error?.message], ["exists", "it is a symbolic link to nothing"]);
    assert(isLink(`${here}/dangling`));
  });

  await t.step("a link to a folder is a folder", async () => {
    plant(dir, { "elsewhere/": "" });
    Deno.symlinkSync(`${dir}/elsewhere`, `${here}/folder`);
    assert.equal((await down("/home/t/f", `${here}/folder`)).totals.sent, 1);
    assert.equal(text(`${dir}/elsewhere/f`), "hello");
  });

  await t.step("a device is written to, also through a link", async () => {
    Deno.symlinkSync("/dev/null", `${here}/null`);
    for (const target of ["/dev/null", `${here}/null`]) {
      const { totals, results } = await down("/home/t/large", target);
      assert.equal(totals.sent, 1, String(totals.error));
      assert.deepEqual([results()[0].local, results()[0].verified], [target, true]);
    }
    assert(isLink(`${here}/null`));
    assert(Deno.statSync("/dev/null").isCharDevice);
    assert.equal((await down("/home/t/f", "/dev/full")).error?.kind, "no-space");
    assert.equal((await down("/home/t/f", "/dev/full", { dryRun: true })).totals.failed, 0);
  });

  await t.step("a FIFO is written to, and stays one", async () => {
    const fifo = `${here}/fifo`;
    await new Deno.Command("mkfifo", { args: [fifo] }).output();
    const reading = Deno.readFile(fifo);
    assert.equal((await down("/home/t/large", fifo)).totals.sent, 1);
    assert.deepEqual(await reading, noise(900_000));
    assert(Deno.lstatSync(fifo).isFifo);
  });

  await t.step("an interruption ends the wait for a pipe without a reader", async () => {
    const stop = new AbortController();
    const other = await setup.connect(setup.server.address, stop.signal);
    const full = Promise.withResolvers<number>();
    const output = {
      write() {
        stop.abort(new BargeError("interrupted", "interrupted"));
        return full.promise;
      },
    };
    await assert.rejects(get(other, ["/home/t/large"], "-", { output }), { kind: "interrupted" });
    full.resolve(0);
  });

  await t.step("links to open files are written to; 1 is standard output", async () => {
    Deno.symlinkSync("/proc/self/fd/1", `${here}/out`);
    assert(isStandardOutput(`${here}/out`) && isStandardOutput("/dev/fd/1"));
    assert(!isStandardOutput(`${here}/f`));
    const pieces: Uint8Array[] = [];
    const output = {
      write(bytes: Uint8Array) {
        pieces.push(bytes.slice());
        return Promise.resolve(bytes.length);
      },
    };
    assert.equal((await down("/home/t/f", `${here}/out`, { output })).totals.sent, 1);
    assert.equal(new TextDecoder().decode(pieces[0]), "hello");
    assert(isLink(`${here}/out`));
    assert.deepEqual(localTarget("/dev/fd/9077"), { type: "file", path: "/dev/fd/9077" });
  });

  await t.step("a tree follows no link out of its folder", async () => {
    const tree = `${dir}/tree`;
    plant(dir, { "outside/": "", "outside.txt": "mine" });
    plant(tree, {});
    Deno.symlinkSync(`${dir}/outside`, `${tree}/sub`);
    Deno.symlinkSync(`${dir}/outside.txt`, `${tree}/f`);
    const refused = await down("/home/t/", tree, { recursive: true, update: true });
    assert.deepEqual(refused.outcome(), [
      "failed /home/t/f",
      "failed /home/t/sub",
      "failed /home/t/sub/in",
      "sent /home/t/large",
    ]);
    assert.deepEqual([refused.error?.kind, isLink(`${tree}/f`)], ["exists", true]);
    // --delete removes the links, not their targets.
    const cleared = await down("/home/t/", tree, { recursive: true, delete: true });
    assert.equal(cleared.totals.failed, 0, String(cleared.error));
    assert.deepEqual(cleared.removedHere(), [`${tree}/f`, `${tree}/sub`]);
    assert.deepEqual([text(`${tree}/f`), text(`${tree}/sub/in`)], ["hello", "in"]);
    assert.equal(text(`${dir}/outside.txt`), "mine");
    assert.deepEqual([...Deno.readDirSync(`${dir}/outside`)], []);
  });

  await t.step("a link in place of a tree's folder is followed only if it is named", async () => {
    Deno.mkdirSync(`${dir}/cwd`);
    Deno.symlinkSync(`${dir}/outside`, `${dir}/cwd/t`);
    assert.equal((await down("/home/t", `${dir}/cwd`, { recursive: true })).error?.kind, "exists");
    assert.deepEqual([...Deno.readDirSync(`${dir}/outside`)], []);
    assert.equal((await down("/home/t/", `${dir}/cwd/t`, { recursive: true })).totals.failed, 0);
    assert.equal(text(`${dir}/outside/f`), "hello");
  });

  await t.step("a part that is a link, or has a second name, is not written to", async () => {
    const { results } = await down("/home/t/large", `${dir}/part`);
    const name = `.part.${results()[0].sha256!.slice(0, 16)}.part`;
    for (const make of [Deno.symlinkSync, Deno.linkSync]) {
      plant(dir, { "victim": "mine" });
      make(`${dir}/victim`, `${dir}/${name}`);
      assert.equal((await down("/home/t/large", `${dir}/part`)).totals.sent, 1);
      assert.equal(text(`${dir}/victim`), "mine");
      Deno.removeSync(`${dir}/${name}`);
      Deno.removeSync(`${dir}/victim`);
    }
  });
});

const undigested = "a file without a stored digest is noted, or fails with --require-digest";
Deno.test(undigested, { ignore: onTwoNodes }, async () => {
  await using setup = await Setup.start();
  const { client, dir } = setup;
  plant(dir, { "small": "1", "large": noise(900_000) });
  await put(client, [`${dir}/small`, `${dir}/large`], "/home/");
  for (const name of ["small", "large"]) {
    const down = async (target: string, options: GetOptions = {}) => {
      const record = recorder();
      const output = { write: (bytes: Uint8Array) => Promise.resolve(bytes.length) };
      const all = { ...options, output, onEvent: record.onEvent };
      const totals = await get(client, [`/home/${name}`], target, all);
      return { totals, verified: record.results()[0].verified, notes: record.notes() };
    };
    const right = await down(`${dir}/got`, { requireDigest: true });
    assert.deepEqual([right.totals.failed, right.verified, right.notes], [0, true, []]);
    const kept = Deno.readFileSync(`${dir}/got`);
    Deno.writeTextFileSync(setup.disk(`/home/${name}`), "by hand", { append: true });
    for (const target of [`${dir}/other`, "-"]) {
      const plain = await down(target);
      assert.deepEqual([plain.totals.failed, plain.verified], [0, false]);
      assert.match(plain.notes.join(), /^\/home\/\w+: the server has no digest of it, .*checked$/);
    }
    for (const target of [`${dir}/got`, "-"]) {
      for (const dryRun of [false, true]) {
        const { totals } = await down(target, { requireDigest: true, dryRun });
        assert.deepEqual([totals.failed, totals.error?.kind], [1, "digest"]);
      }
    }
    assert.deepEqual(Deno.readFileSync(`${dir}/got`), kept);
  }
});
