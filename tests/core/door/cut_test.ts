/** Connections that end at every stage of an upload: no file, nothing lost, to be continued. */
import assert from "node:assert/strict";
import { startServer } from "../../_server.ts";
import { assertUp, join, pattern, Peer, sha256, text } from "./_peer.ts";

const size = 600_000;
const bytes = pattern(size);
const put = { verb: "put", path: "/home/f", size };
const whole = { sha256: sha256(bytes) };
const from = (offset: number) => ({ offset, body: size - offset });

Deno.test("an upload that is cut leaves the old file, and is continued", async (t) => {
  await using server = await startServer({ args: ["--workers", "2"] });
  await server.addUser("anna");
  const { address } = server;
  const token = await server.issueToken("anna");
  using watcher = await Peer.open(address, token);

  /** Waits, without sleeping, until the server has noticed that the uploader is gone. */
  async function settled(): Promise<{ reserved: number; offset: number | undefined }> {
    while (true) {
      const { reserved } = await watcher.ask({ verb: "quota" }) as { reserved: number };
      await watcher.send({ verb: "stat", path: "/home/f" });
      const answer = await watcher.answer() as { upload?: { offset: number } };
      const offset = answer.upload?.offset;
      if (offset !== 0 && reserved === (offset ?? 0)) return { reserved, offset };
    }
  }

  /** Cut after the pieces were sent; by an end of our side, or by a reset. */
  async function cutAfter(pieces: readonly (object | Uint8Array)[], how: "end" | "close") {
    using peer = await Peer.open(address, token);
    await peer.ask(put);
    if (pieces.length > 0) await peer.send(...pieces);
    if (how === "end") {
      await peer.stream.end();
      await peer.gone();
    }
  }

  for (const how of ["end", "close"] as const) {
    await t.step(`after put was sent (${how})`, async () => {
      const peer = await Peer.open(address, token);
      await peer.send(put);
      if (how === "end") await peer.stream.end();
      peer[Symbol.dispose]();
      assert.deepEqual(await settled(), { reserved: 0, offset: undefined });
    });
    await t.step(`after go (${how})`, async () => {
      await cutAfter([], how);
      assert.deepEqual(await settled(), { reserved: 0, offset: undefined });
    });
    await t.step(`after from (${how})`, async () => {
      await cutAfter([from(0)], how);
      assert.deepEqual(await settled(), { reserved: 0, offset: undefined });
    });
    await t.step(`in the body, before the trailer, in the trailer (${how})`, async () => {
      await cutAfter([from(0), bytes.subarray(0, 300_000)], how);
      const first = await settled();
      // A reset may overtake bytes that were on their way; an end does not.
      if (how === "end") assert.equal(first.offset, 300_000);
      assert.ok((first.offset ?? 0) <= 300_000);

      using peer = await Peer.open(address, token);
      const go = await peer.ask(put) as { offset: number; prefix: string | null };
      assert.equal(go.offset, first.offset ?? 0);
      assert.equal(go.prefix, go.offset ? sha256(bytes.subarray(0, go.offset)) : null);
      await peer.send(from(go.offset), bytes.subarray(go.offset));
      await peer.stream.end();
      await peer.gone();
      assert.equal((await settled()).offset, size);

      await cutAfter([from(size), join(whole).subarray(0, 20)], how);
      assert.equal((await settled()).offset, size);
      const { entry } = await watcher.ask({ verb: "stat", path: "/home/f" });
      assert.equal(entry, null);
    });
    await t.step(`after the trailer, before the answer (${how})`, async () => {
      using peer = await Peer.open(address, token);
      assert.equal((await peer.ask(put)).offset, size);
      await peer.send(from(size), whole);
      if (how === "end") await peer.stream.end();
      else peer.stream.close();
      while (!(await watcher.ask({ verb: "stat", path: "/home/f" })).entry);
      assert.deepEqual(await settled(), { reserved: 0, offset: undefined });
      assert.equal(
        (await watcher.ask({ verb: "digest", path: "/home/f", fresh: true })).digest,
        whole.sha256,
      );
      await watcher.ask({ verb: "remove", path: "/home/f" });
    });
  }
  await t.step("in an eager body and before its trailer", async () => {
    const small = text("small and cut");
    const request = { verb: "put", path: "/home/f", size: small.length, body: small.length };
    for (const pieces of [[request], [request, small.subarray(0, 5)], [request, small]]) {
      using peer = await Peer.open(address, token);
      await peer.send(...pieces);
      await peer.stream.end();
      await peer.gone();
    }
    assert.equal(await watcher.fail({ verb: "stat", path: "/home/f" }), "not-found");
    assert.deepEqual(await settled(), { reserved: 0, offset: undefined });
  });
  await t.step("an account's rest is what was there before", async () => {
    assert.equal(await server.stagedUploads(), 0);
    await server.verify();
  });
  await assertUp(address);
});
