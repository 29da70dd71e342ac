/** Objects that something else than barge has changed in the bucket: reads refuse them, and verify names them. */
import assert from "node:assert/strict";
import { objectName } from "../../core/shared/bucket/objects.ts";
import { barge } from "../_server.ts";
import { hasEngines } from "../contract/store/_shared.ts";
import { type Bytes, pattern, sha256 } from "../core/door/_peer.ts";
import { Home } from "./_barge.ts";
import { Nodes } from "./_nodes.ts";

const secret = { BARGE_PASSWORD: "anna-secret" };
/** A small file is read through a pack, and a large one has pieces of its own. */
const files = { small: pattern(3_000, 1), large: pattern(900_000, 2), whole: pattern(5_000, 3) };

/** The ways in which objects are changed. Undefined: they are deleted. */
const damages: Readonly<Record<string, (bytes: Bytes) => Bytes | undefined>> = {
  "other bytes": (bytes) => bytes.map((byte, i) => i === bytes.length - 1 ? byte ^ 1 : byte),
  "a missing end": (bytes) => bytes.slice(0, -1),
  "no object": () => undefined,
};

/** Whether an entry of the folder is a download or a part of one. */
function isDownload({ name }: Deno.DirEntry): boolean {
  return name.includes("got");
}

for (const [damage, change] of Object.entries(damages)) {
  Deno.test({
    name: `a file with ${damage} in the bucket is refused at each read, and verify finds it`,
    ignore: !hasEngines,
    async fn() {
      await using nodes = await Nodes.make();
      const token = await nodes.addUser("anna");
      await using home = new Home();
      const writer = await nodes.start();
      const run = (address: string, ...args: string[]) =>
        home.barge([...args, "--server", `barge://anna@${address}`], { env: secret });
      for (const [name, bytes] of Object.entries(files)) {
        Deno.writeFileSync(`${home.path}/${name}`, bytes);
        assert.equal((await run(writer.address, "put", name, `/home/${name}`)).code, 0);
      }

      const { db, bucket } = nodes.setup.first;
      const objects = await db.all<{ object: number }>(
        `SELECT object FROM piece JOIN node USING (content)
         WHERE node.name IN (convert_to('small', 'UTF8'), convert_to('large', 'UTF8'))`,
      );
      for (const { object } of objects) {
        const name = objectName(object);
        const changed = change(await bucket.get(name) as Bytes);
        if (changed) await bucket.put(name, changed, sha256(changed));
        else await bucket.delete(name);
      }

      // Another node: the first one may still hold the bytes.
      const reader = await nodes.start({ args: ["--http", "127.0.0.1:0"] });
      for (const name of ["small", "large"]) {
        for (const args of [["got"], ["got", "--no-verify"], ["-"]]) {
          const got = await run(reader.address, "get", `/home/${name}`, ...args);
          assert.equal(got.code, 1, got.stderr);
          assert.match(got.stderr, /the server failed; its log says how/);
          assert.equal(got.stdout, "");
          const isComparedFirst = damage === "other bytes" && args.length === 1 && args[0] !== "-";
          assert.equal(got.stderr.includes("downloading it once more"), isComparedFirst);
        }
        assert.deepEqual([...Deno.readDirSync(home.path)].filter(isDownload), []);
        const response = await fetch(`http://${reader.facts.http}/api/v1/files/home/${name}`, {
          headers: { authorization: `Bearer ${token}` },
        });
        await response.body?.cancel();
        assert.equal(response.status, 500);
      }
      assert.match(reader.stderr(), /the object store|an object/);
      assert.equal((await run(reader.address, "get", "/home/whole", "got")).code, 0);

      const verified = await barge(["verify", ...await nodes.setup.serveOptions()]);
      assert.equal(verified.code, 13, verified.stderr);
      for (const name of ["small", "large"]) {
        assert.match(verified.stdout + verified.stderr, new RegExp(`/${name}\\b`));
      }
      assert.doesNotMatch(verified.stdout + verified.stderr, /\/whole\b/);
    },
  });
}

Deno.test({
  name:
    "a download keeps the bytes before damage in the bucket, and goes on once the object is restored",
  ignore: !hasEngines,
  async fn() {
    await using nodes = await Nodes.make();
    await nodes.addUser("anna");
    await using home = new Home();
    const writer = await nodes.start();
    const reader = await nodes.start();
    const get = (...args: string[]) =>
      home.barge(
        ["get", "/home/big", "got", "--server", `barge://anna@${reader.address}`, ...args],
        {
          env: secret,
        },
      );
    const bytes = pattern(30_000_000, 4);
    Deno.writeFileSync(`${home.path}/big`, bytes);
    const to = `barge://anna@${writer.address}`;
    assert.equal(
      (await home.barge(["put", "big", "/home/big", "--server", to], { env: secret })).code,
      0,
    );

    const { db, bucket } = nodes.setup.first;
    const pieces = await db.all<{ at: number; object: number }>(
      "SELECT at, object FROM piece WHERE size > 1000000 ORDER BY at",
    );
    const { at, object } = pieces.at(-2)!;
    assert.ok(at > 8_000_000);
    const whole = await bucket.get(objectName(object)) as Bytes;
    const damaged = damages["other bytes"](whole)!;
    await bucket.put(objectName(object), damaged, sha256(damaged));
    const cut = { code: 5, note: true }; // the connection is closed at the damage
    const refused = { code: 1, note: false }; // the next run begins there
    for (const { code, note } of [cut, refused]) {
      const got = await get();
      assert.equal(got.code, code, got.stderr);
      assert.equal(got.stderr.includes("downloading it once more"), note, got.stderr);
      const [part] = [...Deno.readDirSync(home.path)].filter(isDownload);
      assert.match(part.name, /\.part$/);
      const kept = Deno.readFileSync(`${home.path}/${part.name}`);
      assert.equal(kept.length, at);
      assert.deepEqual(kept, bytes.subarray(0, at));
    }
    assert.match(reader.stderr(), /the object store returned other bytes/);

    await bucket.put(objectName(object), whole, sha256(whole));
    const got = await get("--json");
    assert.equal(got.code, 0, got.stderr);
    assert.deepEqual(Deno.readFileSync(`${home.path}/got`), bytes);
    assert.equal(JSON.parse(got.stdout.split("\n")[0]).offset, at);
  },
});

Deno.test({
  name: "damage of one file in the bucket leaves the other files of a tree alone",
  ignore: !hasEngines,
  async fn() {
    await using nodes = await Nodes.make();
    await nodes.addUser("anna");
    await using home = new Home();
    const writer = await nodes.start();
    const reader = await nodes.start();
    const run = (address: string, ...args: string[]) =>
      home.barge([...args, "--server", `barge://anna@${address}`], { env: secret });
    Deno.mkdirSync(`${home.path}/tree`);
    const big = pattern(30_000_000, 5);
    Deno.writeFileSync(`${home.path}/tree/a`, big);
    const good = Array.from({ length: 8 }, (_, i) => [`b${i}`, pattern(3_000_000, i)] as const);
    for (const [name, bytes] of good) Deno.writeFileSync(`${home.path}/tree/${name}`, bytes);
    assert.equal((await run(writer.address, "put", "-r", "tree", "/home/")).code, 0);

    const { db, bucket } = nodes.setup.first;
    const [{ object }] = await db.all<{ object: number }>(
      `SELECT object FROM piece JOIN node USING (content)
       WHERE node.name = convert_to('a', 'UTF8') AND at > 8000000 AND piece.size > 1000000 ORDER BY at LIMIT 1`,
    );
    const damaged = damages["other bytes"](await bucket.get(objectName(object)) as Bytes)!;
    await bucket.put(objectName(object), damaged, sha256(damaged));

    const got = await run(reader.address, "get", "-r", "/home/tree/", "got", "--json");
    assert.equal(got.code, 5, got.stderr);
    const results = got.stdout.trim().split("\n").map((line) => JSON.parse(line))
      .filter(({ status }) => status !== undefined);
    const failed = results.filter(({ status }) => status === "failed").map(({ path }) => path);
    assert.deepEqual(failed, ["/home/tree/a"]);
    for (const [name, bytes] of good) {
      assert.deepEqual(Deno.readFileSync(`${home.path}/got/${name}`), bytes);
    }
  },
});
