/** Writing an upload while the object store is slow. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { SharedUploads } from "../../../core/shared/upload/uploads.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";
import { readWhole } from "../../contract/store/_suite_tree.ts";
import { commit, declared, file } from "../../contract/store/_suite_uploads.ts";

/** The size of an upload's first piece. */
const firstPieceBytes = 256 * 1024;

Deno.test({
  name: "an upload takes bytes while its beat waits for the object store",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const anna = await setup.addAccount("anna", null);
    const { parts, tree } = setup.node();
    const open = Promise.withResolvers<void>();
    const order: string[] = [];
    const bucket = new Proxy(parts.bucket, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (name !== "put") return typeof value === "function" ? value.bind(target) : value;
        return async (...args: Parameters<typeof target.put>) => {
          await open.promise;
          order.push("stored");
          await target.put(...args);
        };
      },
    });
    const uploads = new SharedUploads({ ...parts, bucket });
    const bytes = new Uint8Array(randomBytes(firstPieceBytes + 1));
    const upload = await uploads.begin(declared(anna, bytes.length), { keep: 0 });
    await upload.body.write(bytes.subarray(0, firstPieceBytes));
    upload.renewLeaseNow();
    // The store answers late, so that the test also ends where the write waits for it.
    const late = setTimeout(open.resolve, 5_000);
    await upload.body.write(bytes.subarray(firstPieceBytes));
    order.push("written");
    clearTimeout(late);
    open.resolve();
    await commit(upload);
    assert.deepEqual(order, ["written", "stored", "stored"]);
    assert.deepEqual(await readWhole(tree, file), bytes);
    await setup.check();
  },
});
