/** The number of rows that a listing reads from PostgreSQL. */
import assert from "node:assert/strict";
import { encodePath } from "../../../core/shared/database/name.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";

Deno.test({
  name: "a listing reads each entry once, also before PostgreSQL has analyzed the table",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    await setup.addAccount("anna", null);
    const { parts: { db }, tree } = setup.node();
    const entries = 5000;
    await db.all("ALTER TABLE node SET (autovacuum_enabled = off)");
    await db.all(
      `INSERT INTO node (parent, name, folder, modified)
       SELECT folder_at($1), convert_to(i::text, 'UTF8'), true, 0 FROM generate_series(1, $2::int) AS i`,
      encodePath("homes/anna"),
      entries,
    );
    const countReads = async () => {
      await db.all("SELECT pg_stat_force_next_flush()");
      const [{ reads }] = await db.all<{ reads: number }>(
        `SELECT idx_tup_read AS reads FROM pg_stat_user_indexes
         WHERE indexrelname = 'node_parent_name_key'`,
      );
      return reads;
    };
    const before = await countReads();
    const names: string[] = [];
    for await (const page of tree.pages({ dir: "homes", name: "anna" })) {
      names.push(...page.map(({ name }) => name));
    }
    const reads = await countReads() - before;
    assert.deepEqual(names, Array.from({ length: entries }, (_, i) => `${i + 1}`).sort());
    assert(reads >= entries && reads < 2 * entries, `${reads} rows of ${entries}`);
  },
});
