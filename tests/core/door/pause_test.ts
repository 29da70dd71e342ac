/** Clients that pause, and show that they are alive: they are waited for, but not for ever. */
import assert from "node:assert/strict";
import { connect } from "../../../core/client/connect.ts";
import { login } from "../../../core/client/login.ts";
import { Downloader } from "../../../core/client/download/downloader.ts";
import { Report } from "../../../core/client/transfer/events.ts";
import { Uploader } from "../../../core/client/upload/uploader.ts";
import { send } from "../../../core/client/upload/send.ts";
import { parseAddress } from "../../../core/net/address.ts";
import { aliveChunkLength, encodeChunkHead } from "../../../core/protocol/frame.ts";
import { recorder } from "../client/_setup.ts";
import { Clock } from "../../_clock.ts";
import { Here } from "./_here.ts";
import { assertUp, type Bytes, join, pattern, Peer, sha256, text } from "./_peer.ts";

const alive = encodeChunkHead(aliveChunkLength);
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A second stands for a minute and more outside of tests; a client that is silent for one is cut. */
const timeouts = { request: 1000, floor: { bytes: 10_000, periodMs: 1000 } };
const pause = { every: 200, most: 3_600_000 };

function chunk(bytes: Uint8Array): Bytes {
  return join(encodeChunkHead(bytes.length), bytes);
}

/** Does something again and again for longer than the server waits for a client that is silent. */
async function forLong(clock: Clock, step: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < 12; i++) {
    await step();
    await clock.advance(200);
  }
}

Deno.test("hello says how a client may pause; without that it may not", async () => {
  await using here = await Here.start({ pause: { every: 5000, most: 60_000 } });
  using peer = await Peer.connect(here.address);
  const hello = await peer.ask({ verb: "hello", version: 1 });
  assert.deepEqual(hello.pause, { every: 5, most: 60 });
  await using other = await Here.start({});
  using second = await Peer.connect(other.address);
  assert.equal((await second.ask({ verb: "hello", version: 1 })).pause, undefined);
});

Deno.test("a put whose source pauses goes on, with keep-alives among its chunks", async (t) => {
  using clock = new Clock();
  await using here = await Here.start({ ...timeouts, pause });
  const bytes = pattern(5000);
  await t.step("of unknown size, and of a known one", async () => {
    for (const size of [null, bytes.length]) {
      using peer = await Peer.open(here.address, here.token);
      await peer.ask({ verb: "put", path: `/home/${size}`, size });
      await peer.send({ offset: 0, body: "chunked", pauses: true }, alive);
      await forLong(clock, () => peer.send(alive));
      await peer.send(chunk(bytes.subarray(0, 1000)), alive, alive);
      await forLong(clock, () => peer.send(alive));
      // Also when a keep-alive comes in pieces, and right before the end.
      await peer.send(chunk(bytes.subarray(1000)), alive.subarray(0, 1));
      await peer.send(alive.subarray(1), alive, encodeChunkHead(0));
      const { sha256: digest } = await peer.ask({ sha256: sha256(bytes) });
      assert.equal(digest, sha256(bytes));
      await peer.ask({ verb: "ping" });
    }
  });
  await t.step("while it compares what is here", async () => {
    {
      using cut = await Peer.open(here.address, here.token);
      await cut.ask({ verb: "put", path: "/home/b", size: bytes.length });
      await cut.send({ offset: 0, body: bytes.length }, bytes.subarray(0, 2000));
      await cut.stream.end();
      await cut.gone();
    }
    using peer = await Peer.open(here.address, here.token);
    const go = await peer.ask({ verb: "put", path: "/home/b", size: bytes.length });
    assert.equal(go.offset, 2000);
    await forLong(clock, () => peer.send({ alive: true }));
    await peer.send({ offset: 2000, body: 3000 }, bytes.subarray(2000));
    assert.equal((await peer.ask({ sha256: sha256(bytes) })).sha256, sha256(bytes));
  });
  await t.step("a client that does not say `pauses` sends data of that length", async () => {
    using peer = await Peer.open(here.address, here.token);
    await peer.ask({ verb: "put", path: "/home/c", size: 5 });
    // The first bytes of a chunk of 4 GiB: more than was declared.
    await peer.send({ offset: 0, body: "chunked" }, alive, text("more than five bytes"));
    await clock.advance(100);
    await peer.send(text("and more"));
    assert.equal(await peer.failure(), "protocol");
  });
  await t.step("silence is cut, also where pauses are allowed", async () => {
    using peer = await Peer.open(here.address, here.token);
    await peer.ask({ verb: "put", path: "/home/d", size: 10 });
    await peer.send({ offset: 0, body: "chunked", pauses: true }, chunk(text("0")), alive);
    let over = false;
    const gone = peer.gone().finally(() => over = true);
    while (!over) await clock.advance(100);
    await gone;
  });
  await assertUp(here.address);
});

Deno.test("keep-alives hold no upload for ever; what has arrived is kept", async (t) => {
  using clock = new Clock();
  await using here = await Here.start({ ...timeouts, pause: { every: 200, most: 1500 } });
  using watcher = await Peer.open(here.address, here.token);
  const trickles: Record<string, (i: number) => Uint8Array> = {
    "nothing else": () => alive,
    "a byte now and then": (i) => i % 2 ? chunk(text("x")) : alive,
    "a byte before each": () => join(chunk(text("x")), alive),
  };
  for (const [name, piece] of Object.entries(trickles)) {
    await t.step(name, async () => {
      using peer = await Peer.open(here.address, here.token);
      const path = `/home/${name}`;
      await peer.ask({ verb: "put", path, size: null });
      await peer.send({ offset: 0, body: "chunked", pauses: true }, chunk(text("x")));
      const failure = peer.failure();
      let over = false;
      failure.then(() => over = true, () => over = true);
      for (let i = 0; !over; i++) {
        assert.ok(i < 100, "it goes on for ever");
        await peer.send(piece(i)).catch(() => {/* it is cut */});
        await clock.advance(100);
      }
      assert.equal(await failure, "unavailable");
      const { upload } = await watcher.ask({ verb: "stat", path }) as {
        upload: { offset: number };
      };
      assert.ok(upload.offset >= 1, JSON.stringify(upload));
      // Once that is said, keep-alives count for nothing.
      over = false;
      const gone = peer.gone().finally(() => over = true);
      while (!over) {
        await peer.send(alive).catch(() => {/* it is cut */});
        await clock.advance(100);
      }
      await gone;
    });
  }
  await t.step("while it compares", async () => {
    using peer = await Peer.open(here.address, here.token);
    await peer.ask({ verb: "put", path: "/home/f", size: 10 });
    let over = false;
    const gone = peer.gone().finally(() => over = true);
    for (let i = 0; !over; i++) {
      assert.ok(i < 100, "it goes on for ever");
      await peer.send({ alive: true }).catch(() => {/* it is cut */});
      await clock.advance(100);
    }
    await gone;
  });
  await assertUp(here.address);
});

Deno.test("who pauses, and is quick enough in between, has all of its time left", async () => {
  using clock = new Clock();
  await using here = await Here.start({ ...timeouts, pause: { every: 200, most: 500 } });
  using peer = await Peer.open(here.address, here.token);
  await peer.ask({ verb: "put", path: "/home/quick", size: null });
  await peer.send({ offset: 0, body: "chunked", pauses: true });
  const piece = pattern(4000); // twice the floor
  for (let i = 0; i < 15; i++) {
    await clock.advance(200);
    await peer.send(chunk(piece), alive);
  }
  const whole = sha256(join(...Array(15).fill(piece)));
  assert.equal((await peer.ask(encodeChunkHead(0), { sha256: whole })).sha256, whole);
});

Deno.test("a get whose bytes are not read goes on while the client pings, for a limited time", async (t) => {
  using clock = new Clock();
  const bytes = pattern(16 * 1024 * 1024);
  const serve = async (most: number) => {
    const here = await Here.start({ request: 3000, pause: { every: 200, most } });
    using _first = await Peer.open(here.address, here.token); // makes anna's home
    Deno.writeFileSync(`${here.store.settings.data}/homes/anna/big`, bytes);
    return here;
  };
  await t.step("and is read to its end", async () => {
    await using here = await serve(3_600_000);
    using peer = await Peer.open(here.address, here.token);
    const { body } = await peer.ask({ verb: "get", path: "/home/big" });
    assert.equal(body, bytes.length);
    let pings = 0;
    for (const end = performance.now() + 5500; performance.now() < end; pings++) {
      await peer.send({ verb: "ping" });
      await clock.advance(200);
    }
    assert.equal(sha256(await peer.body()), sha256(bytes));
    assert.equal((await peer.answer()).sha256, sha256(bytes));
    for (let i = 0; i < pings; i++) assert.equal((await peer.answer()).ok, true);
    // After the read ahead, requests have their deadline and are answered as before.
    assert.equal((await peer.ask({ verb: "quota" })).account, "anna");
  });
  await t.step("but not for ever", async () => {
    await using here = await serve(1500);
    using peer = await Peer.open(here.address, here.token);
    await peer.ask({ verb: "get", path: "/home/big" });
    for (const end = performance.now() + 20_000; here.door.connections > 0;) {
      assert.ok(performance.now() < end, "it was not cut");
      await peer.send({ verb: "ping" }).catch(() => {/* it is cut */});
      await clock.advance(100);
    }
  });
});

Deno.test("barge's own client shows that it is alive", async () => {
  const limits = { request: 2000, pause: { every: 300, most: 3_600_000 } };
  await using here = await Here.start(limits);
  const open = async () => {
    const client = await connect(parseAddress(here.address));
    await login(client, { token: here.token });
    return client;
  };
  const slow = (pieces: Bytes[]) => ({
    async read(into: Uint8Array): Promise<number | null> {
      const piece = pieces.shift();
      if (pieces.length === 0 && piece) await wait(3500);
      if (!piece) return null;
      into.set(piece);
      return piece.length;
    },
  });
  const cases: Record<string, () => Promise<void>> = {
    async "in a put of standard input that pauses"() {
      await using client = await open();
      const { onEvent, outcome } = recorder();
      using uploader = new Uploader(client, new Report(onEvent));
      await uploader.stream(slow([text("one "), text("two")]), "/home/in");
      await uploader.drained();
      assert.deepEqual(outcome(), ["sent /home/in"]);
    },
    async "in a put of known size whose source stalls"() {
      await using client = await open();
      const content = slow([text("one "), text("two")]);
      const upload = { path: "/home/known", size: 7, verify: true as const };
      const progress = { start() {}, bytes() {} };
      const { answer } = await send(client, upload, content, progress);
      assert.equal((await answer).sha256, sha256(text("one two")));
    },
    async "in a put of standard input that trickles"() {
      await using client = await open();
      const { onEvent, outcome } = recorder();
      using uploader = new Uploader(client, new Report(onEvent));
      let left = 45;
      const trickle = {
        async read(into: Uint8Array): Promise<number | null> {
          await wait(100);
          into[0] = 65;
          return left-- > 0 ? 1 : null;
        },
      };
      await uploader.stream(trickle, "/home/trickle");
      await uploader.drained();
      assert.deepEqual(outcome(), ["sent /home/trickle"]);
    },
    async "in a get to standard output that is not read"() {
      const bytes = pattern(16 * 1024 * 1024);
      await using client = await open(); // makes anna's home
      Deno.writeFileSync(`${here.store.settings.data}/homes/anna/big`, bytes);
      const { onEvent, outcome } = recorder();
      const downloader = new Downloader(client, new Report(onEvent));
      let first = true;
      let got = 0;
      await downloader.stream("/home/big", {
        async write(piece) {
          if (first) await wait(4500);
          first = false;
          got += piece.length;
          return piece.length;
        },
      });
      assert.deepEqual(outcome(), ["sent /home/big"]);
      assert.equal(got, bytes.length);
    },
  };
  // All at once, since each takes seconds of real time.
  await Promise.all(
    Object.entries(cases).map(([name, run]) =>
      run().catch((cause) => {
        throw new Error(name, { cause });
      })
    ),
  );
});
