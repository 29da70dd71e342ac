/** `barge backup` of storage that many machines share, while a node serves. */
import assert from "node:assert/strict";
import { hasEngines } from "../contract/store/_shared.ts";
import { eager, pattern, Peer } from "../core/door/_peer.ts";
import { type Server, startServer } from "../_server.ts";
import { Cluster } from "./_cluster.ts";
import { lines } from "./_barge.ts";

const password = "anna-secret";

async function put({ address }: Server, name: string, bytes: Uint8Array): Promise<void> {
  using peer = await Peer.open(address, "anna");
  await peer.ask(eager(`/home/${name}`, new Uint8Array(bytes)));
}

Deno.test({
  name: "backup copies a cluster to a data directory that can be served",
  ignore: !hasEngines,
  async fn() {
    await using cluster = await Cluster.make();
    const { home } = cluster;
    const empty = await cluster.barge(["backup", "copy"]);
    assert.equal(empty.code, 4, empty.stderr);
    assert.match(empty.stderr, /there are no tables of barge in the database/);
    const env = { BARGE_PASSWORD: password };
    assert.equal((await cluster.barge(["user", "add", "anna"], { env })).code, 0);
    const store = cluster.options().map((option) =>
      /^(password|bucket-keys|key)$/.test(option) ? `${home.path}/${option}` : option
    );
    await using node = await startServer({ store, args: ["--workers", "1"] });
    await put(node, "first", pattern(5000, 1));
    await put(node, "second", pattern(200_000, 2));

    const copied = await cluster.barge(["backup", "copy", "--json"]);
    assert.equal(copied.code, 0, copied.stderr);
    const summary = { type: "summary", path: "copy", bytes: 205_000, accounts: 1, files: 2 };
    assert.deepEqual(lines(copied), [{ ...summary, problems: 0 }]);
    const verified = await home.barge(["verify", "--data", "copy"]);
    assert.equal(verified.code, 0, verified.stderr);
    await using restored = await startServer({ data: `${home.path}/copy` });
    using peer = await Peer.open(restored.address, "anna");
    await peer.ask({ verb: "get", path: "/home/second" });
    assert.deepEqual(await peer.body(), pattern(200_000, 2));

    const forced = await cluster.barge(["backup", "copy", "--force"]);
    assert.equal(forced.code, 2, forced.stderr);
    assert.match(
      forced.stderr,
      /--force is for copies of a data directory's database\n\(name a new/,
    );
    const busy = await cluster.barge(["backup", "copy"]);
    assert.equal(busy.code, 7, busy.stderr);
    assert.match(busy.stderr, /another `barge serve` uses this data directory/);
  },
});
