import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { put, type PutOptions } from "../../../core/client/put.ts";
import { entryAt } from "../../../core/client/stat.ts";
import { noise, plant, recorder, Setup } from "./_setup.ts";

Deno.test("put: files, one by one", async (t) => {
  await using setup = await Setup.start();
  const { client, dir } = setup;
  const run = async (sources: string[], target: string, options: PutOptions = {}) => {
    const record = recorder();
    const totals = await put(client, sources, target, { ...options, onEvent: record.onEvent });
    return { ...record, totals, error: totals.error };
  };
  const read = async (path: string) => new TextDecoder().decode(await setup.server.readFile(path));

  await t.step("small, empty and large files, with their times", async () => {
    plant(dir, { small: "hello", empty: "", large: noise(3_000_001) });
    for (const name of ["small", "empty", "large"]) {
      Deno.utimeSync(`${dir}/${name}`, 1, new Date(1_234_567_890_123));
      const { results } = await run([`${dir}/${name}`], `/home/${name}`);
      const [result] = results();
      assert.equal(result.status, "sent", String(result.error));
      assert.match(result.sha256 ?? "", /^[0-9a-f]{64}$/);
      const stored = await setup.server.readFile(`/home/${name}`);
      assert.deepEqual(stored, Deno.readFileSync(`${dir}/${name}`));
      const entry = await entryAt(client, `/home/${name}`);
      assert.equal(entry?.modified, new Date(1_234_567_890_123).toISOString());
      assert.equal(entry?.sha256, result.sha256);
    }
  });

  await t.step(
    "without verification on this side, the server still computes and stores the digest",
    async () => {
      const { results } = await run([`${dir}/large`], "/home/unchecked", { verify: false });
      const [result] = results();
      assert.equal(result.status, "sent", String(result.error));
      const sha256 = createHash("sha256").update(noise(3_000_001)).digest("hex");
      assert.equal(result.sha256, sha256);
      assert.equal((await entryAt(client, "/home/unchecked"))?.sha256, sha256);
    },
  );

  await t.step("a file that hides its size is refused, not sent as empty", async () => {
    const { error } = await run(["/proc/version"], "/home/version");
    assert.match(String(error), /^put \/proc\/version: it has bytes, though its size is 0$/);
    assert.equal(await entryAt(client, "/home/version"), null);
  });

  await t.step("the target is a name, or with a slash a folder to put into", async () => {
    assert.deepEqual((await run([`${dir}/small`], "/home/")).outcome(), ["sent /home/small"]);
    const missing = await run([`${dir}/small`], "/home/none/");
    assert.equal(missing.error?.kind, "no-directory");
    assert.equal((await run([`${dir}/small`], "/home/none/x")).error?.kind, "no-directory");
    const large = await run([`${dir}/large`], "/home/none/");
    assert.equal(large.error?.kind, "no-directory");
    const folder = await run([`${dir}/small`], "/home");
    assert.equal(folder.error?.kind, "exists");
    assert.equal(folder.error?.hint, "write /home/ to put it inside");
    const both = await run([`${dir}/small`, `${dir}/empty`], "/home/none");
    assert.equal(both.totals.failed, 2);
    assert.equal((await run([`${dir}/small`, `${dir}/empty`], "/public")).totals.sent, 2);
  });

  await t.step("names of every kind", async () => {
    const names = [
      "-r",
      "new\nline",
      "🚢 emoji",
      "quo\"te's",
      "x".repeat(255),
      "é".repeat(127),
      "*?[",
    ];
    for (const name of names) plant(dir, { [`names/${name}`]: name });
    const { outcome, totals } = await run(names.map((name) => `${dir}/names/${name}`), "/home/");
    assert.equal(totals.sent, names.length, outcome().join());
    for (const name of names) assert.equal(await read(`/home/${name}`), name);
  });

  await t.step("standard input, of unknown size", async () => {
    const bytes = noise(1_000_003);
    let at = 0;
    const input = {
      read(into: Uint8Array) {
        const piece = bytes.subarray(at, at + Math.min(into.length, 70_001));
        into.set(piece);
        at += piece.length;
        return Promise.resolve(piece.length || null);
      },
    };
    const { results, starts } = await run(["-"], "/home/in", { input });
    assert.equal(results()[0].size, bytes.length);
    assert.equal(starts()[0].size, null);
    assert.deepEqual(await setup.server.readFile("/home/in"), bytes);
    const broken = {
      read: () =>
        --at > bytes.length - 3 ? Promise.resolve(1000) : Promise.reject(new Error("torn")),
    };
    const failed = await run(["-"], "/home/broken", { input: broken });
    assert.match(failed.error?.message ?? "", /torn/);
    assert.equal(await entryAt(client, "/home/broken"), null);
  });

  await t.step("an unreadable file fails, and the others are sent", async () => {
    plant(dir, { folder: "", "sub/": "" });
    Deno.symlinkSync("small", `${dir}/link`);
    const sources = ["none", "sub", "link", "small"].map((name) => `${dir}/${name}`);
    const { results, totals } = await run([...sources, "/dev/null"], "/home/");
    const kinds = results().map(({ error }) => error?.kind);
    assert.deepEqual(kinds.sort(), ["not-found", "usage", "usage", "usage", undefined]);
    assert.equal(totals.sent, 1);
    const followed = await run([`${dir}/link`], "/home/linked", { follow: true });
    assert.equal(followed.totals.sent, 1);
    assert.equal(await read("/home/linked"), "hello");
  });

  await t.step("update compares size and time, checksum the bytes", async () => {
    const source = [`${dir}/small`];
    const status = async (options: PutOptions) =>
      (await run(source, "/home/small", options)).results()[0].status;
    assert.equal(await status({}), "sent");
    assert.equal(await status({ update: true }), "skipped");
    Deno.utimeSync(`${dir}/small`, 1, new Date(1_000_000_000_500));
    assert.equal(await status({ update: true, checksum: true }), "skipped");
    assert.equal(await status({ update: true, dryRun: true }), "sent");
    assert.equal(await status({ update: true }), "sent");
    assert.equal(await status({ update: true }), "skipped");
    plant(dir, { small: "jello" });
    assert.equal(await status({ checksum: true }), "sent");
    assert.equal(await read("/home/small"), "jello");
  });

  await t.step("a dry run changes nothing and reports missing folders", async () => {
    const tried = await run([`${dir}/small`], "/home/dry", { dryRun: true });
    assert.deepEqual(tried.outcome(), ["sent /home/dry"]);
    assert.equal(await entryAt(client, "/home/dry"), null);
    const lost = await run([`${dir}/small`], "/home/none/dry", { dryRun: true });
    assert.equal(lost.error?.kind, "no-directory");
  });

  await t.step("a file that grows is sent as of its start, with a note", async () => {
    for (const [name, size] of [["few", 600_000], ["many", 5_000_000]] as const) {
      plant(dir, { [name]: noise(size) });
      const record = recorder();
      using file = Deno.openSync(`${dir}/${name}`, { append: true });
      const totals = await put(client, [`${dir}/${name}`], `/home/${name}`, {
        onEvent(event) {
          record.onEvent(event);
          if (event.type === "bytes") file.writeSync(new Uint8Array(1000));
        },
      });
      assert.equal(totals.sent, 1, String(totals.error));
      assert.match(record.notes()[0], new RegExp(`grew while it was sent.*${size} bytes`));
      assert.deepEqual(await setup.server.readFile(`/home/${name}`), noise(size));
    }
  });

  await t.step("a file that shrinks fails, and the connection stays open", async () => {
    plant(dir, { shrinks: noise(5_000_000), after: noise(300_000) });
    let cut = false;
    const record = recorder();
    const totals = await put(client, [`${dir}/shrinks`, `${dir}/after`], "/home/", {
      onEvent(event) {
        record.onEvent(event);
        if (event.type === "bytes" && !cut) Deno.truncateSync(`${dir}/shrinks`, 900_000);
        if (event.type === "bytes") cut = true;
      },
    });
    assert.deepEqual(record.outcome(), ["failed /home/shrinks", "sent /home/after"]);
    assert.equal(totals.error?.kind, "changed");
    assert.equal(await entryAt(client, "/home/shrinks"), null);
  });

  await t.step("sparse files arrive as their bytes", async () => {
    using file = Deno.openSync(`${dir}/sparse`, { write: true, create: true });
    file.truncateSync(10_000_000);
    const { totals } = await run([`${dir}/sparse`], "/home/");
    assert.equal(totals.sent, 1);
    const stored = await setup.server.readFile("/home/sparse");
    assert.ok(stored.every((byte) => byte === 0));
  });
});

Deno.test("put: over-quota is answered before the body is sent", async () => {
  await using setup = await Setup.start();
  const { client, dir, server } = setup;
  await server.addUser("bob", { quota: "1000000" });
  const { connect } = await import("../../../core/client/connect.ts");
  const { login } = await import("../../../core/client/login.ts");
  const { parseRemote } = await import("../../../core/client/remote.ts");
  await using bob = await connect(parseRemote(server.address));
  await login(bob, { account: "bob", password: "bob-secret" });
  plant(dir, { large: noise(2_000_000), small: "fits" });
  const record = recorder();
  const totals = await put(bob, [`${dir}/large`, `${dir}/small`], "/home/", record);
  assert.deepEqual(record.outcome(), ["failed /home/large", "sent /home/small"]);
  assert.equal(totals.error?.kind, "over-quota");
  assert.equal(totals.bytes, 4);
  let left = 3_000_000;
  const input = {
    read(into: Uint8Array) {
      const n = Math.min(into.length, left);
      left -= n;
      return Promise.resolve(n || null);
    },
  };
  const stream = await put(bob, ["-"], "/home/stream", { input });
  assert.equal(stream.error?.kind, "over-quota");
  assert.equal(await entryAt(bob, "/home/stream"), null);
  assert.equal((await entryAt(client, "/home"))?.type, "dir");
});
