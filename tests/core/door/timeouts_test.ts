/** Peers that stop moving are cut when their time is over, and take nothing along. */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { until } from "../../_observe.ts";
import { Here } from "./_here.ts";
import { assertUp, eager, join, pattern, Peer, text } from "./_peer.ts";

/** Waits until the server ends the connection. */
async function cut(peer: Peer): Promise<void> {
  await peer.gone();
  peer[Symbol.dispose]();
}

Deno.test("a stranger that says nothing is cut; one that has logged in is not", async () => {
  await using here = await Here.start({ beforeLogin: 100 });
  using known = await Peer.open(here.address, here.token);
  await cut(await Peer.connect(here.address));
  await cut(await Peer.open(here.address));
  await known.ask({ verb: "ping" });
});

Deno.test("half a frame, half a body, no trailer, no answer to `go on`: cut", async () => {
  await using here = await Here.start({ request: 100 });
  using idle = await Peer.open(here.address, here.token);
  const peers = await Promise.all(
    Array.from({ length: 6 }, () => Peer.open(here.address, here.token)),
  );
  const whole = eager("/home/a", text("0123456789"));
  await peers[0].send(join({ verb: "ping" }).subarray(0, 2));
  await peers[1].send(join({ verb: "ping" }, join({ verb: "ping" }).subarray(0, 10)));
  await peers[1].answer();
  await peers[2].send(whole.subarray(0, 70));
  await peers[3].send(whole.subarray(0, whole.length - 20));
  await peers[4].ask({ verb: "put", path: "/home/b", size: 1000 });
  await peers[5].ask({ verb: "put", path: "/home/c", size: 1000 });
  await peers[5].send({ offset: 0, body: 1000 }, pattern(400));
  await Promise.all(peers.map(cut));
  // Between requests there is more time; what was cut can be continued.
  const { upload } = await idle.ask({ verb: "stat", path: "/home/c" });
  assert.deepEqual(upload, { offset: 400, size: 1000 });
  assert.equal(await idle.fail({ verb: "stat", path: "/home/a" }), "not-found");
});

Deno.test("between two requests an account has its time, which ping renews", async () => {
  await using here = await Here.start({ idle: 100 });
  using peer = await Peer.open(here.address, here.token);
  await peer.ask({ verb: "ping" });
  await cut(peer);
});

Deno.test("a peer that stops reading is cut: a large file, listings, many answers", async (t) => {
  await using here = await Here.start({ request: 300 });
  using writer = await Peer.open(here.address, here.token);
  const { data } = here.store.settings;
  const big = 16 * 1024 * 1024;
  Deno.writeFileSync(`${data}/homes/anna/big`, pattern(big));
  Deno.mkdirSync(`${data}/homes/anna/many`);
  for (let i = 0; i < 400; i++) {
    Deno.writeTextFileSync(`${data}/homes/anna/many/${"n".repeat(240)}-${i}`, "");
  }
  const long = `/home/many/${"n".repeat(240)}-7`;
  const none = "/none-of-these".repeat(140);
  const list = { verb: "list", path: "/home/many" };

  const cases: Record<string, object[]> = {
    "a large file": [{ verb: "get", path: "/home/big" }],
    "listings": Array.from({ length: 200 }, () => list),
    "small answers": Array.from({ length: 25_000 }, () => ({ verb: "stat", path: long })),
    "failures": Array.from({ length: 8_000 }, () => ({ verb: "stat", path: none })),
  };
  for (const [name, requests] of Object.entries(cases)) {
    await t.step(name, async () => {
      using deaf = await Peer.open(here.address, here.token);
      const ignored = deaf.send(...requests).catch(() => {/* it is cut: that is the point */});
      await until(async () => {
        await writer.ask({ verb: "ping" });
        return here.door.connections === 1;
      });
      deaf.stream.close();
      await ignored;
    });
  }
  await t.step("one that reads slowly is not", async () => {
    using slow = await Peer.open(here.address, here.token);
    await slow.ask({ verb: "get", path: "/home/big" });
    let got = 0;
    for await (const piece of slow.reader.body()) {
      got += piece.length;
      if (got % (4 * 1024 * 1024) < piece.length) await writer.ask({ verb: "ping" });
    }
    assert.equal(got, big);
    assert.ok((await slow.answer()).sha256);
  });
  await assertUp(here.address);
});

Deno.test("after its last answer a connection is closed, whatever its peer does", async () => {
  await using here = await Here.start({ linger: 100 });
  using peer = await Peer.open(here.address, here.token);
  await peer.ask({ verb: "bye" });
  await peer.gone();
  // Bytes without end do not keep it open, either.
  await assert.rejects(
    async () => {
      while (true) await peer.send(pattern(1000));
    },
    (error) => error instanceof BargeError && error.kind === "unavailable",
  );
});
