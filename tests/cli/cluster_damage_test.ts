/**
 * Objects that something else than barge has changed in the bucket: reads refuse them, and verify names them. A client
 * that compares the digest of a file itself gets other bytes, and refuses them.
 */
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

const failure = /the server failed; its log says how/;

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
        const isCompared = damage === "other bytes";
        const compared = await run(reader.address, "get", `/home/${name}`, "got");
        assert.equal(compared.code, isCompared ? 13 : 1, compared.stderr);
        assert.match(compared.stderr, isCompared ? /differ from the server's digest/ : failure);
        for (const args of [["got", "--no-verify"], ["-"]]) {
          const got = await run(reader.address, "get", `/home/${name}`, ...args);
          assert.equal(got.code, 1, got.stderr);
          assert.match(got.stderr, failure);
          assert.equal(got.stdout, "");
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
