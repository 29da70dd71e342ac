/** Upgrades of the tables, on a real PostgreSQL, with migrations of a later barge. */
import assert from "node:assert/strict";
import { migrate, newestVersion, versionOf } from "../../../core/shared/database/migrate.ts";
import { type Migration, migrations } from "../../../core/shared/database/schema.ts";
import { Membership } from "../../../core/shared/nodes/membership.ts";
import { requirePrepared } from "../../../core/shared/prepare.ts";
import { Metrics } from "../../../core/watch/metrics.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";

const next = newestVersion + 1;
/** A migration whose tables the programs before it can use, too. */
const expand: Migration = {
  oldest: newestVersion,
  sql: "ALTER TABLE account ADD COLUMN color text NOT NULL DEFAULT 'none'",
};
/** A later migration, for which a program needs to know the one before it. */
const contract: Migration = { oldest: next, sql: "DROP TABLE property" };

function test(name: string, fn: (setup: SharedSetup) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !hasEngines,
    async fn() {
      await using setup = await SharedSetup.makeEmpty();
      await fn(setup);
    },
  });
}

test("nodes that start together make the tables once", async (setup) => {
  const nodes = [setup.first, setup.node().parts, setup.node().parts, setup.node().parts];
  await Promise.all(nodes.map(({ db }) => migrate(db, "0.1.0")));
  assert.equal(await versionOf(setup.first.db), newestVersion);
  const rows = await setup.first.db.all("SELECT version, oldest, program FROM migration");
  assert.deepEqual(
    rows,
    migrations.map(({ oldest }, i) => ({ version: i + 1, oldest, program: "0.1.0" })),
  );
});

test("a migration that fails leaves the tables as they were", async (setup) => {
  const { db } = setup.first;
  await migrate(db, "0.1.0");
  const broken = { oldest: newestVersion, sql: "SELECT * FROM no_such_table" };
  await assert.rejects(migrate(db, "0.2.0", [...migrations, expand, broken]));
  assert.equal(await versionOf(db), newestVersion);
  const columns = await db.all(
    "SELECT 1 FROM information_schema.columns WHERE column_name = 'color'",
  );
  assert.deepEqual(columns, []);
});

test("a program uses tables of the next version, and refuses those after it", async (setup) => {
  const { db } = setup.first;
  await migrate(db, "0.1.0");
  await setup.first.secrets.get("decoy");
  await migrate(db, "0.2.0", [...migrations, expand]);
  await migrate(db, "0.1.0");
  await requirePrepared(setup.first);
  assert.equal(await versionOf(db), next);

  await migrate(db, "0.3.0", [...migrations, expand, contract]);
  const refused = {
    kind: "fatal",
    message: new RegExp(
      `have version ${
        next + 1
      }, for programs that know version ${next} or later; this barge knows ` +
        `version ${newestVersion}`,
    ),
    hint: "install barge 0.2.0 or newer on this machine",
  };
  await assert.rejects(migrate(db, "0.1.0"), refused);
  await assert.rejects(requirePrepared(setup.first), refused);
  await migrate(db, "0.2.0", [...migrations, expand]);
  const node = new Membership(db, { id: "1", name: "a", version: "0.1.0", doors: {} });
  await assert.rejects(node.register(beat()), refused);
  await assert.rejects(node.report(beat()), refused);
});

test("an upgrade that a running node could not use is not made", async (setup) => {
  const { db } = setup.first;
  await migrate(db, "0.1.0");
  const node = new Membership(db, { id: "1", name: "a", version: "0.1.0", doors: {} });
  await node.register(beat());
  const report = () => void node.report(beat());
  await assert.rejects(migrate(db, "0.3.0", [...migrations, expand, contract], report), {
    kind: "fatal",
    message: /too new for nodes that run: a \(barge 0.1.0\)/,
    hint: "upgrade these nodes to a version in between first, or stop them",
  });
  assert.equal(await versionOf(db), newestVersion);
  await node.remove();
  await migrate(db, "0.3.0", [...migrations, expand, contract]);
  assert.equal(await versionOf(db), next + 1);
});

test("an upgrade waits until a node that has died counts as gone", async (setup) => {
  const { db } = setup.first;
  await migrate(db, "0.1.0");
  const node = new Membership(db, { id: "1", name: "a", version: "0.1.0", doors: {} });
  await node.register(beat());
  await db.all("UPDATE cluster_node SET seen = now() - interval '18 seconds'");
  const waits: string[] = [];
  const onWait = (nodes: string) => void waits.push(nodes);
  await migrate(db, "0.3.0", [...migrations, expand, contract], onWait);
  assert.deepEqual(waits, ["a (barge 0.1.0)"]);
  assert.equal(await versionOf(db), next + 1);
});

test("a command that is newer than the tables does not change them", async (setup) => {
  const { db } = setup.first;
  await migrate(db, "0.1.0", migrations.slice(0, 2));
  await db.all("DELETE FROM migration WHERE version = 2");
  await assert.rejects(requirePrepared(setup.first), {
    kind: "fatal",
    message: `the tables of the database have version 1; this barge needs version ${newestVersion}`,
    hint: "start a node of this barge, which upgrades them; or use the barge of the nodes",
  });
});

function beat() {
  const report = {
    counts: new Metrics().snapshot(),
    memory: 0,
    rates: { received: 0, sent: 0 },
  };
  return { uptimeMs: 0, stopping: false, bucket: true, report };
}
