/** The removal of folders that are too large for one statement. */
import assert from "node:assert/strict";
import { encodePath } from "../../../core/shared/database/name.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";
import { always } from "../../contract/store/_suite_tree.ts";

Deno.test({
  name: "a large folder is removed with all below it, and its files and folders are credited",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const anna = await setup.addAccount("anna", null);
    const { parts: { db }, tree } = setup.node();
    const facts = { account: anna, parents: true, modified: null };
    for (const dir of ["homes/anna/large", "homes/anna/large/a/b"]) {
      await tree.mkdir({ dir, name: "c" }, facts, always);
      await db.all(
        `INSERT INTO node (parent, name, folder, owner, size, modified)
         SELECT folder_at($1), convert_to(i::text, 'UTF8'), false, $2::bigint, 1, 0
         FROM generate_series(1, 2500) AS i`,
        encodePath(dir),
        anna,
      );
    }
    const count = async () => {
      const [row] = await db.all<{ nodes: number; used: number; entries: number }>(
        `SELECT (SELECT count(*) FROM node) AS nodes, used, entries FROM account WHERE id = $1`,
        anna,
      );
      return row;
    };
    const before = await count();
    assert.deepEqual([before.used, before.entries], [5000, 5005]);
    const removed = await tree.remove({ dir: "homes/anna", name: "large" }, anna, always);
    assert.equal(removed, 5000);
    assert.deepEqual({ ...await count() }, { nodes: before.nodes - 5005, used: 0, entries: 0 });
    await setup.check();
  },
});
