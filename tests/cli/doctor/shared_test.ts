/** `barge doctor` on storage that many machines share: reachable, cut off, with nodes, with wrong secrets. */
import assert from "node:assert/strict";
import { hasEngines } from "../../contract/store/_shared.ts";
import { startServer } from "../../_server.ts";
import { hasWrongClock, wrongClock } from "../../_wrong_clock.ts";
import { Cluster } from "../_cluster.ts";
import { examine } from "./_doctor.ts";

const ignore = !hasEngines;
/** An address where nothing listens. */
const closed = "127.0.0.1:1";

Deno.test(
  "doctor checks the database, the bucket, the clocks and the nodes",
  { ignore },
  async () => {
    await using cluster = await Cluster.make();
    const fresh = await examine(cluster.home, cluster.options());
    assert.deepEqual(fresh.faults, ["bad database"]);
    assert.match(fresh.one("database").message, /there are no tables of barge/);
    assert.equal(fresh.of("nodes").length, 0);
    await using _ = await startServer({
      store: absolute(cluster),
      args: ["--node-name", "east"],
    });
    const running = await examine(cluster.home, cluster.options());
    assert.deepEqual(running.faults, []);
    for (
      const id of ["database", "database-durability", "database-clock", "bucket", "bucket-clock"]
    ) {
      assert.equal(running.one(id).severity, "ok", running.one(id).message);
    }
    assert.match(running.one("nodes").message, /^One node runs/);
    assert.deepEqual(running.of("secret-files").map(({ severity }) => severity), [
      "ok",
      "ok",
      "ok",
    ]);
    assert.equal(running.of("data-mode").length, 0);
  },
);

Deno.test("doctor reports nodes of different versions, and a dead node", {
  ignore,
}, async () => {
  await using cluster = await Cluster.make();
  const made = await cluster.barge(["user", "add", "anna", "--admin"], {
    env: { BARGE_PASSWORD: "anna-secret" },
  });
  assert.equal(made.code, 0, made.stderr);
  const { db } = cluster.open().parts;
  const addNode = (name: string, version: string, seen: string) =>
    db.all(
      `INSERT INTO cluster_node
         (id, name, version, tables, doors, started, seen, stopping, bucket, report)
       VALUES ($1, $1, $2, 1, '{}', now(), now() - $3::text::interval, false, true, '{}')`,
      name,
      version,
      seen,
    );
  await addNode("east", "0.1.0", "0 s");
  await addNode("west", "0.2.0", "0 s");
  await addNode("north", "0.1.0", "10 min");
  const nodes = (await examine(cluster.home, cluster.options())).of("nodes");
  assert.deepEqual(nodes.map(({ severity, message }) => [severity, message]), [
    ["warn", "These nodes have not reported for a while, and did not stop in order: north."],
    ["warn", "The nodes have different versions of barge: 0.1.0, 0.2.0."],
  ]);
});

Deno.test("doctor reports a clock that differs from those of the database and the bucket", {
  ignore: ignore || !hasWrongClock,
}, async () => {
  await using cluster = await Cluster.make();
  await cluster.barge(["user", "add", "anna", "--admin"], {
    env: { BARGE_PASSWORD: "anna-secret" },
  });
  const findings = await examine(cluster.home, cluster.options(), { env: wrongClock("-600s") });
  for (const name of ["database", "bucket"]) {
    const { severity, message } = findings.one(`${name}-clock`);
    assert.equal(severity, "bad");
    assert.match(message, new RegExp(`The clock of the ${name} is (599|60[01]) s ahead of this`));
  }
});

Deno.test("doctor reports a database and a bucket that do not answer", { ignore }, async () => {
  await using cluster = await Cluster.make();
  const store = cluster.store.replace(/@[^/]*/, `@${closed}`);
  const bucket = cluster.bucket.replace(/\/\/[^/]*/, `//${closed}`);
  const options = cluster.options({ "--store": store, "--bucket": bucket });
  const findings = await examine(cluster.home, options);
  assert.deepEqual(findings.faults, ["bad database", "bad bucket"]);
  for (const id of ["database-clock", "bucket-clock", "failed-logins", "nodes"]) {
    assert.equal(findings.of(id).length, 0, id);
  }
});

Deno.test(
  "doctor reports a file of secrets that can't be read, and goes on",
  { ignore },
  async () => {
    await using cluster = await Cluster.make();
    Deno.chmodSync(`${cluster.home.path}/password`, 0o644);
    const options = cluster.options({ "--bucket-keys-file": "missing" });
    const findings = await examine(cluster.home, options);
    assert.deepEqual(findings.faults, ["warn secret-files", "bad secret-files"]);
  },
);

Deno.test("doctor reports a migration to the storage that has not ended", { ignore }, async () => {
  await using cluster = await Cluster.make();
  await cluster.barge(["user", "add", "anna", "--admin"], {
    env: { BARGE_PASSWORD: "anna-secret" },
  });
  const examined = () => examine(cluster.home, cluster.options());
  assert.equal((await examined()).one("migration").severity, "ok");
  await cluster.open().parts.secrets.get("migration", () => "now");
  const open = (await examined()).one("migration");
  assert.equal(open.severity, "bad");
  assert.match(open.advice ?? "", /barge migrate --to/);
});

/** Returns the options of a cluster with absolute paths. */
function absolute(cluster: Cluster): string[] {
  const files = { password: "--store-password-file", "bucket-keys": "--bucket-keys-file" };
  const named = Object.entries({ ...files, key: "--cluster-key" })
    .map(([name, option]) => [option, `${cluster.home.path}/${name}`]);
  return cluster.options(Object.fromEntries(named));
}
