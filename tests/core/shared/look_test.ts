/** A look at a place while an upload to it becomes a file. */
import assert from "node:assert/strict";
import { SharedTree } from "../../../core/shared/tree/tree.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";
import { commit, declared } from "../../contract/store/_suite_uploads.ts";

Deno.test({
  name: "a look finds the file of an upload that is committed between its statements",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const anna = await setup.addAccount("anna", null);
    const { parts, uploads } = setup.node();
    const upload = await uploads.begin(declared(anna, 3), { keep: 0 });
    await upload.body.write(new Uint8Array(3));
    const entryRead = Promise.withResolvers<void>();
    const committed = Promise.withResolvers<void>();
    /** The database, which answers questions for uploads after the commit, and others before it. */
    const db = new Proxy(parts.db, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        if (name !== "all") return value.bind(target);
        return async (sql: string, ...values: (string | number)[]) => {
          if (sql.includes("FROM upload")) await committed.promise;
          const rows = await target.all(sql, ...values);
          entryRead.resolve();
          return rows;
        };
      },
    });
    const { dir, name } = declared(anna, 3);
    const look = new SharedTree({ ...parts, db }).look({ dir, name }, anna);
    await entryRead.promise;
    await commit(upload);
    committed.resolve();
    const { entry, partial } = await look;
    assert.deepEqual([entry?.size, partial], [3, undefined]);
  },
});
