/** Uploads that are appended to, resumed, or written at any position. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { BargeError } from "../../../core/error.ts";
import { recover } from "../../../core/repair/recover.ts";
import { stat } from "../../../core/session/stat.ts";
import { begin, bytes, fails, request, Setup, sha256, upload, write } from "../_setup.ts";

/** Writes some bytes and detaches, as for a client that is cut. */
async function half(setup: Setup, path: string, text: string, size: number | null = null) {
  const going = await begin(setup.login("anna"), request(path, { size }));
  await going.write(bytes(text));
  await going.detach();
}

Deno.test("an upload begins with the bytes of its base", async (t) => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const end = async (base: "old" | "fresh" | number, text: string) => {
    const going = await begin(anna, request("/home/f", { base }));
    await going.write(bytes(text));
    await going.commit(null, true);
    return setup.read("/home/f");
  };
  await t.step("nothing is there", async () => {
    assert.equal(await end("old", "new"), "new");
    await fails(
      "usage",
      () => begin(anna, request("/home/none", { base: 4 })),
      /fewer than 4 bytes/,
    );
  });
  await t.step("a file", async () => {
    assert.equal(await end("old", "er"), "newer");
    assert.equal(await end(3, " one"), "new one");
    assert.equal(await end("fresh", "x"), "x");
    assert.equal(await end(0, "yz"), "yz");
    await fails("usage", () => begin(anna, request("/home/f", { base: 3 })), /fewer than 3 bytes/);
  });
  await t.step("a file, and a partial upload: the upload where it has as many bytes", async () => {
    await write(anna, "/home/f", "file");
    await half(setup, "/home/f", "half of it");
    assert.equal(await end(7, "gone"), "half ofgone");
    await half(setup, "/home/f", "half");
    assert.equal(await end(5, "!"), "half !");
  });
  await t.step("a partial upload, of any connection", async () => {
    await half(setup, "/home/g", "half", 100);
    assert.deepEqual((await stat(anna, "/home/g")).upload, { offset: 4, size: 100 });
    const going = await begin(anna, request("/home/g", { base: "old" }));
    assert.equal(going.offset, 4);
    await going.write(bytes(" and half"));
    const { sha256: digest } = await going.commit(null, false);
    assert.equal(digest, sha256("half and half"));
    assert.equal(setup.read("/home/g"), "half and half");
  });
  setup.check();
  assert.equal(setup.account("anna").reserved, 0);
});

Deno.test("an append that is over quota changes nothing", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 100);
  await write(anna, "/home/f", "x".repeat(60));
  const going = await begin(anna, request("/home/f", { base: "old" }));
  await fails("over-quota", () => going.write(bytes("y".repeat(60))));
  await going.drop();
  assert.equal(setup.read("/home/f").length, 60);
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [60, 0]);
  assert.deepEqual(setup.staged(), []);
});

Deno.test("reserved room that is not used is freed", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 100);
  await fails("over-quota", () => begin(anna, request("/home/f", { reserve: 101 })));
  const going = await begin(anna, request("/home/f", { reserve: 100 }));
  assert.equal(setup.account("anna").reserved, 100);
  await fails("over-quota", () => begin(anna, request("/home/g", { reserve: 1 })));
  await going.write(bytes("ten bytes."));
  await going.commit(null, true);
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [10, 0]);
});

Deno.test("writes in any order have the result of a plain file", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ at: fc.nat(60), length: fc.integer({ min: 1, max: 30 }) }),
    },
    { weight: 1, arbitrary: fc.record({ cut: fc.nat(80) }) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.boolean(),
      fc.array(step, { maxLength: 20 }),
      async (old, announced, steps) => {
        await write(anna, "/home/f", "the file that was there");
        let model = old ? bytes("the file that was there") : new Uint8Array();
        const going = await begin(
          anna,
          request("/home/f", { base: old ? "old" : "fresh", announced }),
        );
        const resized = (length: number) => {
          const next = new Uint8Array(length);
          next.set(model.subarray(0, length));
          return next;
        };
        // All calls at once: they are carried out in their order.
        const asked = steps.map((step, i) => {
          if ("cut" in step) {
            model = resized(step.cut);
            return going.truncate(step.cut);
          }
          const piece = new Uint8Array(step.length).fill(i + 1);
          model = resized(Math.max(model.length, step.at + piece.length));
          model.set(piece, step.at);
          return going.writeAt(step.at, piece);
        });
        await Promise.all(asked);
        assert.equal(going.length, model.length);
        const into = new Uint8Array(200);
        assert.equal(await going.readAt(0, into), model.length);
        assert.deepEqual(into.subarray(0, model.length), model);
        const { sha256: digest, size } = await going.commit(null, true);
        assert.equal(size, model.length);
        assert.equal(digest, sha256(model));
        assert.deepEqual(Deno.readFileSync(setup.disk("/home/f")), model);
      },
    ),
    { numRuns: 200 },
  );
  setup.check();
});

Deno.test("a cut keeps the bytes before the first gap", async (t) => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await t.step("before a gap", async () => {
    const going = await begin(anna, request("/home/f", {}));
    await going.writeAt(0, bytes("whole"));
    await going.writeAt(10, bytes("beyond"));
    await going.detach();
    assert.deepEqual((await stat(anna, "/home/f")).upload, { offset: 5, size: null });
    assert.equal(setup.account("anna").reserved, 5);
  });
  await t.step("a gap that was filled", async () => {
    const going = await begin(anna, request("/home/f", { base: "old" }));
    await going.writeAt(10, bytes("beyond"));
    await going.writeAt(5, bytes(" then"));
    await going.detach();
    assert.deepEqual((await stat(anna, "/home/f")).upload, { offset: 16, size: null });
  });
  await t.step("reserved room counts as no byte", async () => {
    const going = await begin(anna, request("/home/f", { base: "old" }));
    await going.truncate(1000);
    await going.detach();
    assert.deepEqual((await stat(anna, "/home/f")).upload, { offset: 16, size: null });
  });
  await t.step("a file that was changed in place leaves no partial upload", async () => {
    await write(anna, "/home/g", "as it was");
    const going = await begin(anna, request("/home/g", { base: "old" }));
    await going.writeAt(3, bytes("IT"));
    await going.detach();
    assert.equal((await stat(anna, "/home/g")).upload, null);
    assert.equal(setup.read("/home/g"), "as it was");
  });
  setup.check();
});

Deno.test("a crash keeps the bytes before the first gap", async (t) => {
  using setup = new Setup();
  const anna = setup.user("anna");
  /** Leaves the upload as a dead worker would. */
  const crash = async (work: (going: Awaited<ReturnType<typeof begin>>) => Promise<void>) => {
    const going = await begin(anna, request("/home/f", { base: "old" }));
    await work(going);
    return going;
  };
  await t.step("found by the next start", async () => {
    const gone = await crash(async (going) => {
      await going.writeAt(0, bytes("whole"));
      await going.writeAt(10, bytes("beyond"));
    });
    const store = setup.open();
    await recover(store);
    assert.deepEqual((await stat(setup.login("anna", store), "/home/f")).upload, {
      offset: 5,
      size: null,
    });
    const going = await begin(setup.login("anna", store), request("/home/f", { base: 5 }));
    await going.write(bytes(" again"));
    await going.commit(sha256("whole again"), true);
    store[Symbol.dispose]();
    await gone.detach(); // closes its file
    assert.equal(setup.read("/home/f"), "whole again");
  });
  await t.step("a change in place is not kept", async () => {
    const gone = await crash((going) => going.writeAt(0, bytes("WHOLE")));
    const store = setup.open();
    assert.deepEqual(await recover(store), { changes: 0, settled: 0, resumable: 0, dropped: 2 });
    store[Symbol.dispose]();
    await gone.detach();
    assert.equal(setup.read("/home/f"), "whole again");
  });
  await t.step("taken over while the server runs", async () => {
    const gone = await crash((going) => going.writeAt(20, bytes("far")));
    setup.store.db.run("UPDATE upload SET touched = 0");
    const { upload: left } = await stat(anna, "/home/f");
    assert.equal(left?.offset, 11); // what was copied is whole
    assert.equal(left.size, null);
    const going = await begin(anna, request("/home/f", { base: 11 }));
    await going.write(bytes("!"));
    await going.commit(sha256("whole again!"), true);
    await gone.detach();
  });
  setup.check();
  assert.deepEqual(setup.staged(), []);
});

Deno.test("an upload fails where its path can't be written", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 10_000);
  const going = await begin(anna, request("/home/f", { base: "fresh" }));
  await fails("usage", () => going.writeAt(Number.MAX_SAFE_INTEGER, bytes("x")), /that large/);
  await fails("over-quota", () => going.writeAt(9_999, bytes("xx")));
  for (let i = 1; i <= 1024; i++) await going.writeAt(2 * i, bytes("x"));
  await fails("refused", () => going.writeAt(2 * 1025, bytes("x")), /gaps/);
  await going.writeAt(3, bytes("y"));
  await going.writeAt(2 * 1025, bytes("z"));
  await going.drop();
  assert.deepEqual(setup.staged(), []);
  assert.equal(setup.account("anna").reserved, 0);
});

Deno.test("an upload of declared size that comes out of order must be complete", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const going = await begin(anna, request("/home/f", { size: 10, base: "fresh" }));
  await going.writeAt(5, bytes("fghij"));
  await fails("protocol", () => going.writeAt(6, bytes("ghijk")), /declared 10/);
  await going.writeAt(0, bytes("abcde"));
  assert.equal((await going.commit(sha256("abcdefghij"), true)).size, 10);
  await assert.rejects(
    () => upload(anna, "/home/f", bytes("short"), { size: 6, base: "fresh" }),
    (error) => (error as BargeError).kind === "protocol",
  );
});
