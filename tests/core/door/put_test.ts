/** PUT, right and wrong: eager ones in a row, bodies that are not what was said, room that is not there. */
import assert from "node:assert/strict";
import { encodeChunkHead } from "../../../core/protocol/frame.ts";
import { type Server, startServer } from "../../_server.ts";
import { assertUp, type Bytes, eager, join, pattern, Peer, sha256, text } from "./_peer.ts";

/** What an answer says, in short: `ok`, or the failure's kind. */
function said(answer: { readonly [field: string]: unknown }): string {
  return answer.ok ? "ok" : (answer.error as { kind: string }).kind;
}

async function answers(peer: Peer, count: number): Promise<string[]> {
  const kinds: string[] = [];
  while (kinds.length < count) kinds.push(said(await peer.answer()));
  return kinds;
}

async function content(peer: Peer, path: string): Promise<Bytes> {
  await peer.ask({ verb: "get", path });
  const bytes = await peer.body();
  assert.equal((await peer.answer()).sha256, sha256(bytes));
  return bytes;
}

/** The ledger agrees with the disk, and nothing is reserved. */
async function assertSettled(server: Server, peer: Peer): Promise<void> {
  assert.equal((await peer.ask({ verb: "quota" })).reserved, 0);
  assert.equal(await server.stagedUploads(), 0);
  await server.verify();
}

Deno.test("uploads by PUT, right and wrong", async (t) => {
  await using server = await startServer();
  await server.addUser("anna");
  const token = await server.issueToken("anna");

  await t.step("small uploads in a row are answered in their order", async (t) => {
    await t.step("refused ones are read away", async () => {
      using peer = await Peer.open(server.address, token);
      await peer.send(
        eager("/home/a", text("one")),
        eager("/home/none/b", text("two")),
        eager("/home/a", text("three"), { overwrite: "never" }),
        join({ verb: "put", path: "/home/c", size: 4, body: 4 }, text("four"), {
          sha256: "0".repeat(64),
        }),
        join({ verb: "put", path: "/home/c", size: 4, body: 4 }, text("five"), { sha256: null }),
        eager("/home", text("six")),
        eager("/home/../d", text("seven")),
        eager("/home/e", text("")),
        { verb: "list", path: "/home" },
      );
      assert.deepEqual(await answers(peer, 8), [
        ...["ok", "no-directory", "exists", "digest", "interrupted", "exists", "usage", "ok"],
      ]);
      const { entries } = await peer.answer() as { entries: { name: string; size: number }[] };
      assert.deepEqual(entries.map(({ name, size }) => [name, size]), [["a", 3], ["e", 0]]);
    });

    await t.step("one path twice, and other verbs in between", async () => {
      using peer = await Peer.open(server.address, token);
      await peer.send(
        eager("/home/p", text("1")),
        { verb: "remove", path: "/home/p" },
        eager("/home/p", text("22")),
        { verb: "stat", path: "/home/p" },
        eager("/home/p", text("333")),
        eager("/home/p", text("4444")),
        { verb: "move", from: "/home/p", to: "/home/q" },
        eager("/home/p", text("55555")),
        { verb: "copy", from: "/home/q", to: "/home/r" },
        { verb: "nonsense" },
        eager("/home/p", text("6")),
        { verb: "get", path: "/home/nope" },
        eager("/home/p", text("77")),
      );
      assert.equal((await peer.answer()).replaced, false);
      assert.equal((await peer.answer()).removed, 1);
      assert.equal((await peer.answer()).replaced, false);
      assert.equal((await peer.answer() as { entry: { size: number } }).entry.size, 2);
      assert.equal((await peer.answer()).size, 3);
      const fourth = await peer.answer();
      assert.deepEqual([fourth.size, fourth.replaced], [4, true]);
      assert.equal(said(await peer.answer()), "ok"); // move
      assert.equal((await peer.answer()).replaced, false);
      assert.equal((await peer.answer()).sha256, sha256(text("4444"))); // copy
      assert.deepEqual(await answers(peer, 4), ["unsupported", "ok", "not-found", "ok"]);
      assert.deepEqual(await content(peer, "/home/p"), text("77"));
      assert.deepEqual(await content(peer, "/home/r"), text("4444"));
    });

    await t.step("hundreds at once, every tenth refused", async () => {
      using peer = await Peer.open(server.address, token);
      const count = 500;
      const path = (i: number) => i % 10 === 7 ? `/home/none/${i}` : `/home/many-${i % 90}`;
      const sending = (async () => {
        for (let i = 0; i < count; i++) await peer.send(eager(path(i), pattern(i * 13, i)));
      })();
      for (let i = 0; i < count; i++) {
        const answer = await peer.answer();
        if (i % 10 === 7) assert.equal(said(answer), "no-directory");
        else assert.equal(answer.sha256, sha256(pattern(i * 13, i)));
      }
      await sending;
      const last = await content(peer, "/home/many-49");
      assert.deepEqual(last, pattern(499 * 13, 499));
      await assertSettled(server, peer);
    });
    await assertUp(server.address);
  });

  await t.step(
    "bodies that are not what was said leave no file and an account as it was",
    async (t) => {
      const { address } = server;
      using peer = await Peer.open(address, token);
      await peer.ask(eager("/home/old", text("old")));
      const put = { verb: "put", path: "/home/old", size: 10 };

      await t.step("a digest that differs", async () => {
        await peer.ask(put);
        const body = [{ offset: 0, body: 10 }, text("0123456789")];
        assert.equal(await peer.fail(...body, { sha256: sha256(text("other")) }), "digest");
        assert.equal((await peer.ask({ verb: "stat", path: "/home/old" })).upload, null);
      });
      await t.step("cancelled", async () => {
        await peer.ask(put);
        assert.equal(
          await peer.fail({ offset: 0, body: 10 }, text("0123456789"), { sha256: null }),
          "interrupted",
        );
        await assertSettled(server, peer);
      });
      for (
        const [name, pieces] of Object.entries({
          "an offset that was not offered": [{ offset: 4, body: 6 }, text("456789")],
          "a body that is not the rest": [{ offset: 0, body: 9 }, text("012345678")],
          "more in chunks": [
            ...[{ offset: 0, body: "chunked" }, encodeChunkHead(6), text("012345")],
            ...[encodeChunkHead(5), text("6789a"), encodeChunkHead(0)],
          ],
          "fewer in chunks": [
            ...[{ offset: 0, body: "chunked" }, encodeChunkHead(6), text("012345")],
            ...[encodeChunkHead(0), { sha256: sha256(text("012345")) }],
          ],
          "a request where the body was due": [{ verb: "ping" }],
          "a body with no trailer behind it": [{ offset: 0, body: 10 }, text("0123456789"), {
            verb: "ping",
          }],
          "a trailer with a body": [{ offset: 0, body: 10 }, text("0123456789"), {
            sha256: sha256(text("0123456789")),
            body: 3,
          }],
        })
      ) {
        await t.step(name, async () => {
          using bad = await Peer.open(address, token);
          await bad.ask(put);
          assert.equal(await bad.fail(...pieces), "protocol");
          await bad.gone();
          assert.deepEqual(await content(peer, "/home/old"), text("old"));
        });
      }
      await t.step("what was cut short is dropped by remove and put", async () => {
        assert.equal((await peer.ask(eager("/home/old", text("new")))).replaced, true);
        await peer.ask({ verb: "remove", path: "/home/old" });
        await peer.send({ verb: "remove", path: "/home/old" });
        await peer.answer(); // there may have been half an upload, or not
        await assertSettled(server, peer);
      });
      await assertUp(address);
    },
  );

  await t.step("over quota is told before the body, or as soon as it is so", async (t) => {
    await server.addUser("alice", { quota: "100000" });
    const token = await server.issueToken("alice");
    using peer = await Peer.open(server.address, token);

    await t.step("a known size, waiting and eager", async () => {
      assert.equal(await peer.fail({ verb: "put", path: "/home/a", size: 100001 }), "over-quota");
      assert.equal(
        await peer.fail({ verb: "put", path: "/home/a", size: 2 ** 53 - 1 }),
        "over-quota",
      );
      assert.equal(await peer.fail(eager("/home/a", pattern(100001))), "over-quota");
      await peer.ask(eager("/home/a", pattern(60_000)));
      assert.equal(await peer.fail(eager("/home/b", pattern(40_001))), "over-quota");
      await peer.ask(eager("/home/a", pattern(100_000)));
      await peer.ask({ verb: "remove", path: "/home/a" });
      await assertSettled(server, peer);
    });
    await t.step("an unknown size: while the client still sends, which is read away", async () => {
      const chunk = join(encodeChunkHead(65536), pattern(65536));
      await peer.ask({ verb: "put", path: "/home/a", size: null });
      await peer.send({ offset: 0, body: "chunked" }, chunk, chunk);
      assert.equal(await peer.failure(), "over-quota");
      assert.equal((await quotaOf(token)).reserved, 0);
      for (let i = 0; i < 40; i++) await peer.send(chunk);
      await peer.send(encodeChunkHead(0), { sha256: "0".repeat(64) }, { verb: "ping" });
      assert.equal((await peer.answer()).ok, true);
      await assertSettled(server, peer);
    });
    await t.step("the same, and the client pauses and leaves", async () => {
      using other = await Peer.open(server.address, token);
      await other.ask({ verb: "put", path: "/home/a", size: null });
      await other.send({ offset: 0, body: "chunked" }, encodeChunkHead(200_000), pattern(150_000));
      assert.equal(await other.failure(), "over-quota");
      await other.stream.end();
      await other.gone();
      await assertSettled(server, peer);
    });
    await assertUp(server.address);

    async function quotaOf(token: string) {
      using other = await Peer.open(server.address, token);
      return await other.ask({ verb: "quota" });
    }
  });

  await t.step("a body is whole without a digest, if its size was told", async () => {
    using peer = await Peer.open(server.address, token);
    const whole = { sha256: null, whole: true };
    await peer.ask({ verb: "put", path: "/home/whole", size: 10 });
    const answer = await peer.ask({ offset: 0, body: 10 }, text("0123456789"), whole);
    assert.equal(answer.sha256, sha256(text("0123456789")));
    await peer.ask({ verb: "put", path: "/home/endless", size: null });
    const chunks = [encodeChunkHead(3), text("abc"), encodeChunkHead(0)];
    assert.equal(await peer.fail({ offset: 0, body: "chunked" }, ...chunks, whole), "protocol");
  });
});
