/** Many requests, many connections, and peers that do not read: the server stays small and answers. */
import assert from "node:assert/strict";
import { startServer } from "../../_server.ts";
import { assertUp, eager, join, pattern, Peer, type Piece, text } from "./_peer.ts";

const MiB = 1024 * 1024;
const bigBytes = MiB / 4;
/** More than the buffers between the two sides hold. */
const bufferedBytes = 64 * MiB;

Deno.test("floods leave the server small, and answering", async (t) => {
  await using server = await startServer({ args: ["--workers", "2", "--durability", "relaxed"] });
  await server.addUser("anna");
  const { address } = server;
  const token = await server.issueToken("anna");
  using peer = await Peer.open(address, token);
  await peer.ask(eager("/home/small", text("small")));
  await peer.ask(eager("/home/big", pattern(bigBytes)));

  await t.step("4,000 requests at once, read", async () => {
    const count = 4000;
    const paths = ["/home/small", "/home/none"];
    const requests = Array.from(
      { length: count },
      (_, i) => ({ verb: "stat", path: paths[i % 2] }),
    );
    const sending = peer.send(...requests);
    for (let i = 0; i < count; i++) assert.equal((await peer.answer()).ok, i % 2 === 0);
    await sending;
  });

  const none = "/home/" + "n".repeat(200);
  const unread: Record<string, Piece[]> = {
    "downloads": Array.from({ length: 2000 }, () => ({ verb: "get", path: "/home/big" })),
    "refused requests": Array.from({ length: 2000 }, () => ({ verb: "get", path: none })),
    "small uploads": Array.from({ length: 400 }, (_, i) => eager(`/home/p${i % 7}`, text(`${i}`))),
  };
  for (const [name, pieces] of Object.entries(unread)) {
    await t.step(`${pieces.length} ${name} at once, unread`, async () => {
      using deaf = await Peer.open(address, token);
      const ignored = deaf.send(...pieces).catch(() => {});
      for (let i = 0; i < 40; i++) await assertUp(address);
      deaf.stream.close();
      await ignored;
    });
  }
  await t.step("downloads that nobody reads are not begun", () => {
    const begun = server.stderr().split('"verb":"get","path":"/home/big"').length - 1;
    assert.ok(begun > 0 && begun * bigBytes < bufferedBytes, `${begun} downloads`);
  });

  await t.step(
    "500 connections at once: silent, half a frame, logged in, gone at once",
    async () => {
      const peers = await Promise.all(Array.from({ length: 500 }, () => Peer.connect(address)));
      try {
        await Promise.all(peers.map(async (peer, i) => {
          if (i % 5 === 0) return;
          if (i % 5 === 1) return await peer.send(new Uint8Array([0, 0]));
          await peer.ask({ verb: "hello", version: 1 });
          if (i % 5 === 2) return await peer.send(join({ verb: "ping" }).subarray(0, 9));
          if (i % 5 === 3) return peer.stream.close();
          await peer.login(token);
          await peer.ask({ verb: "stat", path: "/home/small" });
        }));
        await assertUp(address);
      } finally {
        for (const peer of peers) peer[Symbol.dispose]();
      }
      await assertUp(address);
    },
  );

  await t.step(
    "a body without an end, before a login, is neither kept nor in anyone's way",
    async () => {
      using stranger = await Peer.open(address);
      await stranger.send({ verb: "levitate", body: 2 ** 50 });
      assert.equal(await stranger.failure(), "unsupported");
      const piece = new Uint8Array(MiB);
      for (let i = 0; i < 64; i++) await stranger.send(piece);
      await assertUp(address);
    },
  );
  await assertUp(address);
  assert.doesNotMatch(server.stderr(), /"level":"(WARN|ERROR|FATAL)".*"logger":"barge\.(?!access)/);
});
