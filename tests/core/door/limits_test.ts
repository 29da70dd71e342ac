/** Too many connections, and peers that trickle. */
import assert from "node:assert/strict";
import { barge, startServer } from "../../_server.ts";
import { Clock } from "../../_clock.ts";
import { Here } from "./_here.ts";
import { assertUp, eager, join, pattern, Peer, sha256, text } from "./_peer.ts";

const hello = { verb: "hello", version: 1 };

Deno.test("beyond the total a client is told, and the others go on", async () => {
  const limits = { connections: 2, perAddress: 0, perAccount: 0 };
  await using here = await Here.start({}, { limits });
  using known = await Peer.open(here.address, here.token);
  {
    using _second = await Peer.open(here.address);
    using third = await Peer.connect(here.address);
    const answer = await third.answer();
    assert.equal((answer.error as { kind: string }).kind, "unavailable");
    await third.gone();
    // Far more than are told at once; all of them end.
    const many = Array.from({ length: 100 }, async () => {
      using peer = await Peer.connect(here.address);
      await peer.gone().catch(() => {/* told */});
    });
    await Promise.all(many);
    assert.equal(here.door.connections, 2);
    await known.ask({ verb: "ping" });
  }
  while (here.door.connections > 1) await known.ask({ verb: "ping" });
  await assertUp(here.address);
});

Deno.test("beyond an account's connections its login is refused; the session before stays", async () => {
  const limits = { connections: 0, perAddress: 0, perAccount: 2 };
  await using here = await Here.start({}, { limits });
  const [, id, secret] = /^barge_([^_]+)_(.+)$/.exec(here.token)!;
  using first = await Peer.open(here.address, here.token);
  using second = await Peer.open(here.address, here.token);
  using third = await Peer.open(here.address);
  const refused = await third.prove(id, secret, "token");
  assert.equal((refused.error as { kind: string }).kind, "unavailable");
  assert.match((refused.error as { message: string }).message, /too many connections/);
  assert.equal(await third.fail({ verb: "quota" }), "unauthenticated");
  await first.ask({ verb: "quota" });
  second[Symbol.dispose]();
  while (here.door.connections > 2) await first.ask({ verb: "ping" });
  await third.login(here.token);
  await third.ask({ verb: "quota" });
});

Deno.test("two workers count together, and `barge ping` says what is wrong", async () => {
  await using server = await startServer({ args: ["--workers", "2", "--max-connections", "4"] });
  const peers = await Promise.all(Array.from({ length: 4 }, () => Peer.open(server.address)));
  for (let i = 0; i < 6; i++) {
    using peer = await Peer.connect(server.address);
    assert.equal(await peer.failure(), "unavailable");
  }
  const { code, stderr } = await barge(["ping", `barge://${server.address}`]);
  assert.equal(code, 5, stderr);
  assert.match(stderr, /too many connections/);
  peers.forEach((peer) => peer[Symbol.dispose]());
});

Deno.test("who trickles bytes is cut; a slow upload that moves is not", async (t) => {
  using clock = new Clock();
  await using here = await Here.start({ floor: { bytes: 100, periodMs: 500 } });
  const put = eager("/home/a", pattern(5000));
  const waiting = { verb: "put", path: "/home/b", size: 5000 };
  const cases: Record<string, (peer: Peer) => Promise<Uint8Array>> = {
    "inside a frame": () => Promise.resolve(join({ verb: "ping", agent: "x".repeat(5000) })),
    "inside a body": async (peer) => {
      await peer.send(put.subarray(0, 200));
      return put.subarray(200);
    },
    "inside a body after `go on`": async (peer) => {
      await peer.ask(waiting);
      await peer.send({ offset: 0, body: 5000 });
      return pattern(5000);
    },
  };
  for (const [name, begin] of Object.entries(cases)) {
    await t.step(name, async () => {
      using peer = await Peer.open(here.address, here.token);
      const bytes = await begin(peer);
      const ended = peer.gone();
      let cut = false;
      ended.then(() => cut = true);
      for (let i = 0; !cut; i++) {
        assert.ok(i < 2000, "it was not cut");
        await peer.send(bytes.subarray(i, i + 1)).catch(() => {/* it is cut */});
        await clock.advance(25);
      }
      await ended;
    });
  }
  await t.step("a slow upload", async () => {
    using peer = await Peer.open(here.address, here.token);
    const bytes = pattern(100_000);
    await peer.ask({ verb: "put", path: "/home/slow", size: bytes.length });
    await peer.send({ offset: 0, body: bytes.length });
    for (let at = 0; at < bytes.length; at += 2000) {
      await peer.send(bytes.subarray(at, at + 2000));
      await clock.advance(25);
    }
    await peer.ask({ sha256: sha256(bytes) });
    // And between two requests nothing needs to move.
    await clock.advance(700);
    await peer.ask(eager("/home/c", text("c")));
    await peer.ask(hello);
  });
  await assertUp(here.address);
});
