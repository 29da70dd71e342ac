/** Reading content that lies in several pieces. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import { takeMemory } from "../../../core/shared/bucket/memory.ts";
import { objectName } from "../../../core/shared/bucket/objects.ts";
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

Deno.test({
  name: "pieces: where memory is short, a damaged piece is found before its last part is returned",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const anna = await setup.addAccount("anna", null);
    const { parts, uploads } = setup.node();
    const bytes = new Uint8Array(2_000_000).fill(1);
    const upload = await uploads.begin(declared(anna, bytes.length), { keep: 0 });
    await upload.body.write(bytes);
    await commit(upload);
    const [{ content, object, at, size }] = await parts.db.all<Record<string, number>>(
      "SELECT content, object, at, size FROM piece WHERE size > 600000 ORDER BY at LIMIT 1",
    );
    using stack = new DisposableStack();
    for (let memory; (memory = takeMemory(8 * 1024 * 1024));) stack.use(memory);
    const read = async (until: number, verifies = false) => {
      using reader = new PieceReader(parts, content, { verifies });
      for (let position = at; position < until;) {
        position += (await reader.from(position))!.length;
      }
    };
    await read(bytes.length);
    const damaged = bytes.slice(0, size);
    damaged[0] ^= 1;
    const store = (bytes: Uint8Array<ArrayBuffer>) =>
      parts.bucket.put(objectName(object), bytes, hash("sha256", bytes, "hex"));
    await store(damaged);
    await read(at + 1);
    await assert.rejects(read(at + size), { kind: "io", message: /other bytes/ });
    await read(at + size, true); // its reader compares the digest of the whole
    await store(damaged.slice(0, -1));
    await assert.rejects(read(at + size, true), { kind: "io", message: /other bytes/ });
  },
});

Deno.test({
  name:
    "pieces: bytes of large pieces that readers copy at once stay right while memory is used again",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const anna = await setup.addAccount("anna", null);
    const { tree, uploads } = setup.node();
    const bytes = new Uint8Array(48 * 1024 * 1024);
    const numbers = new Uint32Array(bytes.buffer);
    for (let i = 0; i < numbers.length; i++) numbers[i] = i;
    const upload = await uploads.begin(declared(anna, bytes.length), { keep: 0 });
    for (let at = 0; at < bytes.length; at += 1_000_000) {
      await upload.body.write(bytes.subarray(at, at + 1_000_000));
    }
    await commit(upload);
    const { dir, name } = declared(anna, 0);
    const file = await tree.open({ dir, name }, 0);
    const step = 4 * 1024 * 1024;
    const positions = Array.from({ length: bytes.length / step }, (_, i) => i * step).reverse();
    const parts = await Promise.all(positions.map(async (position) => {
      const into = new Uint8Array(1000);
      for (let n = 0; n < into.length;) n += await file.readAt(position + n, into.subarray(n));
      return into;
    }));
    for (const [i, position] of positions.entries()) {
      assert.deepEqual(parts[i], bytes.subarray(position, position + 1000));
    }
    let at = 0;
    for await (const piece of file.pieces()) {
      assert.equal(Buffer.compare(piece, bytes.subarray(at, at += piece.length)), 0);
    }
    file.close();
    assert.equal(at, bytes.length);
  },
});
