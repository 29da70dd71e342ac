/** Migrations that are killed at any step go on where they were. */
import assert from "node:assert/strict";
import { toDirectory } from "../../../core/migrate/to_directory.ts";
import { refuseMarked } from "../../../core/migrate/marker.ts";
import { reconcile } from "../../../core/repair/reconcile.ts";
import { hasEngines } from "../../contract/store/_shared.ts";
import { fails, Setup } from "../_setup.ts";
import { address, Both } from "./_both.ts";
import { fill, localSnapshot, sharedSnapshot } from "./_tree.ts";

const ignore = !hasEngines;

Deno.test({
  name: "a migration to shared storage that is killed goes on",
  ignore,
  async fn() {
    await using both = await Both.make();
    await fill(both.setup);
    const { data } = both.setup;
    const before = await localSnapshot(data);
    const steps = ["committed/2", "sent/1", "written/6", "sent/3", "sent/5", "committed/12"];
    for (const step of steps) await both.killed("to", data, step);
    await both.engines.first.db.all(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
       WHERE datname = current_database() AND state = 'idle in transaction'`,
    );
    assert.deepEqual(await localSnapshot(data), before);
    refuseMarked(data);
    const last = await both.pass(true);
    assert.deepEqual(last.problems, []);
    assert(last.kept > 0);
    assert.deepEqual(await sharedSnapshot(both.shared), before);
    await both.engines.check();
    await fails("fatal", () => refuseMarked(data));
  },
});

Deno.test({
  name: "a copy to a data directory that is killed goes on",
  ignore,
  async fn() {
    await using both = await Both.make();
    await fill(both.setup);
    const before = await localSnapshot(both.setup.data);
    await both.pass(true);
    const data = both.empty();
    for (const step of ["staged/1", "staged/50", "renamed/1", "committed/1", "synced/9"]) {
      await both.killed("from", data, step);
      await fails("fatal", () => refuseMarked(data), /incomplete copy/);
    }
    const result = await toDirectory(both.shared, data, { address });
    assert.deepEqual(result.problems, []);
    assert(result.kept > 100, `${result.kept} files were kept`);
    assert.deepEqual(await localSnapshot(data), before);
    using setup = new Setup({ data });
    const { problems } = await reconcile(setup.store, { repair: false, contents: true });
    assert.deepEqual(problems, []);
    refuseMarked(data);
  },
});
