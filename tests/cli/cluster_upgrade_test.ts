/**
 * Nodes of two versions side by side: the program runs on tables of the next version, which this test makes
 * with migrations of a later barge, and ends clearly on tables that are too new for it.
 */
import assert from "node:assert/strict";
import { migrate, newestVersion } from "../../core/shared/database/migrate.ts";
import { type Migration, migrations } from "../../core/shared/database/schema.ts";
import { hasEngines } from "../contract/store/_shared.ts";
import { eager, pattern, Peer, sha256 } from "../core/door/_peer.ts";
import { barge, type Server } from "../_server.ts";
import { Nodes } from "./_nodes.ts";

const next = newestVersion + 1;
/** The additions that a later barge may make while nodes of this one serve: columns, a table, an index, a trigger. */
const expand: Migration = {
  oldest: newestVersion,
  sql: `
ALTER TABLE account ADD COLUMN color text NOT NULL DEFAULT 'none';
ALTER TABLE node ADD COLUMN label text;
ALTER TABLE upload ADD COLUMN origin text;
CREATE TABLE history (node bigint NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX history_node ON history (node);
CREATE FUNCTION record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO history (node) SELECT id FROM added;
  RETURN NULL;
END
$$;
CREATE TRIGGER node_recorded AFTER INSERT ON node REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION record();
`,
};
/** The version after it removes what only this barge uses. */
const contract: Migration = { oldest: next, sql: "ALTER TABLE node DROP COLUMN label" };
const tooOld = new RegExp(
  `the tables of the database have version ${
    next + 1
  }, for programs that know version ${next} or later; ` +
    `this barge knows version ${newestVersion}\\n\\(install barge 0.2.0 or newer on this machine\\)`,
);
const bytes = pattern(200_000, 2);

async function put({ address }: Server, token: string, path: string): Promise<void> {
  using peer = await Peer.open(address, token);
  await peer.ask(eager(path, bytes));
}

async function get({ address }: Server, token: string, path: string): Promise<Uint8Array> {
  using peer = await Peer.open(address, token);
  await peer.ask({ verb: "get", path });
  return await peer.body();
}

Deno.test({
  name: "nodes serve on tables of the next version, and refuse those after it",
  ignore: !hasEngines,
  async fn() {
    await using nodes = await Nodes.make();
    const { db } = nodes.setup.first;
    const token = await nodes.addUser("anna");
    const options = await nodes.setup.serveOptions();
    const running = await nodes.start({ args: ["--node-name", "old"] });
    await put(running, token, "/home/before");

    // An upload goes on while another node upgrades the tables.
    using peer = await Peer.open(running.address, token);
    await peer.ask({ verb: "put", path: "/home/during", size: bytes.length });
    await peer.send({ offset: 0, body: bytes.length }, bytes.subarray(0, 100_000));
    await migrate(db, "0.2.0", [...migrations, expand]);
    await db.all("UPDATE account SET color = 'red'");
    await peer.ask(bytes.subarray(100_000), { sha256: sha256(bytes) });

    const started = await nodes.start({ args: ["--node-name", "old-too"] });
    await put(started, token, "/home/after");
    for (const path of ["/home/before", "/home/during", "/home/after"]) {
      assert.deepEqual(await get(running, token, path), bytes);
      assert.deepEqual(await get(started, token, path), bytes);
    }
    const { n } = await nodes.row<{ n: number }>("SELECT count(*) AS n FROM history");
    assert.ok(n >= 1);
    const listed = await barge(["user", "list", ...options]);
    assert.equal(listed.code, 0, listed.stderr);
    const verified = await barge(["verify", ...options]);
    assert.equal(verified.code, 0, verified.stderr);

    await assert.rejects(migrate(db, "0.3.0", [...migrations, expand, contract]), {
      kind: "fatal",
      message: /too new for nodes that run: old \(barge [^)]+\), old-too \(barge [^)]+\)/,
    });
    await put(running, token, "/home/last");

    // As if both nodes had been cut off while the tables were upgraded.
    await db.all(
      "INSERT INTO migration (version, oldest, program) VALUES ($1, $2, '0.3.0')",
      next + 1,
      next,
    );
    for (const node of [running, started]) {
      assert.equal(await node.ended, 7);
      assert.match(node.stderr(), tooOld);
    }
    for (const verb of [["serve", "--http", "off"], ["user", "list"], ["status"], ["verify"]]) {
      const { code, stderr } = await barge([...verb, ...options]);
      assert.equal(code, 7, stderr);
      assert.match(stderr, tooOld);
    }
    await nodes.setup.check();
    await nodes.setup.verify();
  },
});
