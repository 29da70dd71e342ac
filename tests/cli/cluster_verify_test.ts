/** `serve --verify-every` in a cluster: one node at a time reads the files. */
import assert from "node:assert/strict";
import { objectName } from "../../core/shared/bucket/objects.ts";
import { until } from "../_observe.ts";
import { barge } from "../_server.ts";
import { hasEngines } from "../contract/store/_shared.ts";
import { type Bytes, eager, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import { Nodes } from "./_nodes.ts";

const finished = "all files were verified";

/** Starts a node, and writes files of 100 kB: `/home/f0`, `/home/f1` and so on. */
async function writeFiles(nodes: Nodes, count: number): Promise<void> {
  const token = await nodes.addUser("anna");
  const writer = await nodes.start();
  using peer = await Peer.open(writer.address, token);
  for (let i = 0; i < count; i++) await peer.ask(eager(`/home/f${i}`, pattern(100_000, i)));
}

Deno.test({
  name: "one node of a cluster verifies, and another goes on when it dies",
  ignore: !hasEngines,
  async fn() {
    await using nodes = await Nodes.make();
    await writeFiles(nodes, 12);
    const { db, bucket } = nodes.setup.first;
    const [{ object }] = await db.all<{ object: number }>(
      "SELECT object FROM piece JOIN node USING (content) WHERE node.name = convert_to('f11', 'UTF8')",
    );
    const bytes = (await bucket.get(objectName(object)) as Bytes).map((byte) => byte ^ 1);
    await bucket.put(objectName(object), bytes, sha256(bytes));

    const every = ["--verify-every", "1d"];
    const slow = await nodes.start({ args: [...every, "--verify-rate", "100kB"] });
    const filesOf = async () =>
      (await db.all<{ files: number }>("SELECT files FROM verification"))[0].files;
    await until(async () => await filesOf() > 0);
    await slow.kill("SIGKILL");
    const files = await filesOf();
    assert(files < 12);
    await db.all("UPDATE verification SET lease = now()"); // as if a minute had passed
    const next = await nodes.start({ args: every });
    await next.said(finished);
    assert.match(next.stderr(), /the verification of all files goes on/);
    assert.match(next.stderr(), /homes\/anna\/f11: /);
    assert.doesNotMatch(next.stderr(), /homes\/anna\/f0: /);
    const { stdout } = await barge(["audit", "--json", ...await nodes.setup.serveOptions()]);
    assert.match(stdout, /"event":"storage-verified".*"files":12,.*"bad":1/);
  },
});

Deno.test({
  name: "a node keeps the round while it reads one file for longer than its lease",
  ignore: !hasEngines,
  async fn() {
    await using nodes = await Nodes.make();
    await writeFiles(nodes, 3);
    const { db } = nodes.setup.first;
    const state = async () => {
      const sql = "SELECT position, files, lease::text AS lease FROM verification";
      return (await db.all<{ position: string; files: number; lease: string }>(sql))[0];
    };
    // The second file is read after 100 s.
    const slow = await nodes.start({ args: ["--verify-every", "1d", "--verify-rate", "1kB"] });
    await until(async () => (await state()).files > 0);
    const before = await state();
    await until(async () => (await state()).lease > before.lease);
    assert.deepEqual(await state(), { ...before, lease: (await state()).lease });
    await db.all("UPDATE verification SET node = 'another one'");
    await slow.said("another node goes on with the verification");
  },
});
