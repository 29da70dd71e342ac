/** Reading content that lies in several pieces. */
import assert from "node:assert/strict";
import { PieceReader } from "../../../core/shared/tree/pieces.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";
import { commit, declared } from "../../contract/store/_suite_uploads.ts";

Deno.test({
  name: "pieces: few are read ahead, and reads that are under way at once fetch each once",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const anna = await setup.addAccount("anna", null);
    const { parts, uploads } = setup.node();
    const bytes = crypto.getRandomValues(new Uint8Array(65_536));
    const size = 32 * bytes.length;
    const upload = await uploads.begin(declared(anna, size), { keep: 0 });
    for (let at = 0; at < size; at += bytes.length) await upload.body.write(bytes);
    await commit(upload);
    const [{ content, pieces }] = await parts.db.all<{ content: number; pieces: number }>(
      "SELECT content, count(*)::integer AS pieces FROM piece GROUP BY content",
    );
    assert.ok(pieces > 2);
    let fetched = 0;
    const bucket = new Proxy(parts.bucket, {
      get(target, name) {
        if (name === "get") fetched++;
        const value = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    {
      using reader = new PieceReader({ ...parts, bucket }, content);
      const first = await reader.from(0);
      assert.equal(fetched, 2, "a reader of the first bytes fetches one piece ahead");
      await reader.from(first!.length);
      assert.equal(fetched, 4, "a reader that goes on fetches more ahead");
      fetched = 0;
    }
    using reader = new PieceReader({ ...parts, bucket }, content);
    const positions = Array.from({ length: 32 }, (_, i) => i * bytes.length);
    const read = await Promise.all(positions.map((position) => reader.from(position)));
    for (const some of read) assert.deepEqual(some!.subarray(0, 1000), bytes.subarray(0, 1000));
    assert.equal(fetched, pieces);
  },
});
