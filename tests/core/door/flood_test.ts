/** Many requests, many connections, and peers that do not read: the server stays small and answers. */
import assert from "node:assert/strict";
import { residentBytes } from "../../_observe.ts";
import { startServer } from "../../_server.ts";
import { assertUp, eager, join, pattern, Peer, text } from "./_peer.ts";

const MiB = 1024 * 1024;
/**
 * Well below what is sent or asked for. The collector of two isolates is lazy: it lets them come to
 * some 180 to 270 MiB more, and stay there.
 */
const bound = 448 * MiB;

Deno.test("floods leave the server small, and answering", async (t) => {
  await using server = await startServer({ args: ["--durability", "relaxed"] });
  await server.addUser("anna");
  const { address } = server;
  const token = await server.issueToken("anna");
  using peer = await Peer.open(address, token);
  await peer.ask(eager("/home/small", text("small")));
  const idle = residentBytes(server.pid);
  let most = 0;
  const grown = () => {
    most = Math.max(most, residentBytes(server.pid) - idle);
    return most;
  };

  await t.step("10,000 requests at once, read", async () => {
    const count = 10_000;
    const paths = ["/home/small", "/home/none"];
    const requests = Array.from(
      { length: count },
      (_, i) => ({ verb: "stat", path: paths[i % 2] }),
    );
    const sending = peer.send(...requests);
    for (let i = 0; i < count; i++) assert.equal((await peer.answer()).ok, i % 2 === 0);
    await sending;
    assert.ok(grown() < bound, `${most / MiB} MiB more`);
  });

  await t.step("20,000 requests at once, unread: it stops taking more", async () => {
    using deaf = await Peer.open(address, token);
    const count = 20_000;
    // Some 640 MB of answers.
    await peer.ask(eager("/home/big", pattern(32_000)));
    const get = { verb: "get", path: "/home/big" };
    const ignored = deaf.send(...Array.from({ length: count }, () => get)).catch(() => {});
    for (let i = 0; i < 100; i++) {
      await assertUp(address);
      grown();
    }
    assert.ok(grown() < bound, `${most / MiB} MiB more`);
    deaf.stream.close();
    await ignored;
  });

  await t.step("10,000 refused requests at once, unread", async () => {
    using deaf = await Peer.open(address, token);
    const path = "/home/" + "n".repeat(200);
    const bad = Array.from({ length: 10_000 }, () => ({ verb: "get", path }));
    const ignored = deaf.send(...bad).catch(() => {});
    for (let i = 0; i < 100; i++) {
      await assertUp(address);
      grown();
    }
    deaf.stream.close();
    await ignored;
    assert.ok(grown() < bound, `${most / MiB} MiB more`);
  });

  await t.step("10,000 small uploads at once, unread", async () => {
    using deaf = await Peer.open(address, token);
    const puts = Array.from({ length: 10_000 }, (_, i) => eager(`/home/p${i % 7}`, text(`${i}`)));
    const ignored = deaf.send(...puts).catch(() => {});
    for (let i = 0; i < 100; i++) {
      await assertUp(address);
      grown();
    }
    deaf.stream.close();
    await ignored;
    assert.ok(grown() < bound, `${most / MiB} MiB more`);
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
        assert.ok(grown() < bound, `${most / MiB} MiB more`);
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
      assert.ok(grown() < bound, `${most / MiB} MiB more`);
    },
  );
  await assertUp(address);
  assert.doesNotMatch(server.stderr(), /"level":"(WARN|ERROR|FATAL)".*"logger":"barge\.(?!access)/);
});
