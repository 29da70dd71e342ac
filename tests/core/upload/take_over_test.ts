/** A newer connection takes an upload over, and the former holder can't change it any more. */
import assert from "node:assert/strict";
import { makeTally } from "../../../core/watch/gate.ts";
import { makeSharedCounts } from "../../../core/watch/metrics.ts";
import { remove } from "../../../core/session/remove.ts";
import { settleDead } from "../../../core/repair/settle_dead.ts";
import { stat } from "../../../core/session/stat.ts";
import type { Incoming } from "../../../core/upload/incoming.ts";
import { makeFenceTable } from "../../../core/local/vault/fences.ts";
import { begin, bytes, fails, request, Setup, sha256 } from "../_setup.ts";

/** Two isolates of one server, with its uploads only. */
class Two implements Disposable {
  readonly #shared = {
    fences: makeFenceTable(2),
    tally: makeTally(2),
    sharedCounts: makeSharedCounts(2),
  };
  readonly setup = new Setup(this.#shared);
  readonly other = this.setup.open({}, 1);

  [Symbol.dispose](): void {
    this.other[Symbol.dispose]();
    this.setup[Symbol.dispose]();
  }
}

Deno.test("a second connection resumes at the offset of the first, from any isolate", async () => {
  for (const there of [false, true]) {
    using two = new Two();
    const { setup } = two;
    const anna = setup.user("anna", 10);
    const first = await begin(anna, request("/home/a", { size: 10 }));
    await first.write(bytes("12345"));
    const session = there ? setup.login("anna", two.other) : anna;
    const second = await begin(session, request("/home/a", { size: 10 }));
    assert.deepEqual([second.offset, second.prefix], [5, sha256("12345")]);
    await fails(
      "unavailable",
      () => first.write(bytes("late!")),
      /taken over by a newer connection/,
    );
    await fails("unavailable", () => first.truncate(0), /taken over/);
    await fails("unavailable", () => first.readAt(0, new Uint8Array(1)), /taken over/);
    await first.detach(); // without effect
    assert.deepEqual([setup.staged().length, setup.account("anna").reserved], [1, 10]);
    await second.write(bytes("67890"));
    await second.commit(sha256("1234567890"), true);
    assert.equal(setup.read("/home/a"), "1234567890");
    const { used, reserved } = setup.account("anna");
    assert.deepEqual([used, reserved, setup.staged()], [10, 0, []]);
    setup.check();
  }
});

Deno.test("the end of the former holder does not change the upload of the second", async () => {
  const ends: Record<string, (first: Incoming) => Promise<unknown>> = {
    detached: (first) => first.detach(),
    dropped: (first) => first.drop(),
    failed: async (first) => first.fail(await fails("unavailable", () => first.write(bytes("x")))),
    committed: (first) => fails("unavailable", () => first.commit(null, true), /taken over/),
    "with a wrong digest": (first) => fails("unavailable", () => first.commit(sha256("x"), true)),
  };
  for (const [name, end] of Object.entries(ends)) {
    using setup = new Setup();
    const anna = setup.user("anna");
    const first = await begin(anna, request("/home/a", { size: 6 }));
    await first.write(bytes("123456"));
    const second = await begin(anna, request("/home/a", { size: 6 }));
    await end(first);
    await first.detach();
    assert.equal(second.offset, 6, name);
    await second.commit(sha256("123456"), true);
    assert.equal(setup.read("/home/a"), "123456", name);
    setup.check();
  }
});

Deno.test("an upload without a byte is taken over with its reservation", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 10);
  const first = await begin(anna, request("/home/a", { size: 10 }));
  const second = await begin(anna, request("/home/a", { size: 10 }));
  await fails("unavailable", () => first.write(bytes("x")));
  await first.detach();
  await second.write(bytes("1234567890"));
  await second.commit(null, true);
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [10, 0]);
});

Deno.test("an upload that begins afresh gets no bytes of another, and does not end it", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const first = await begin(anna, request("/home/a", { size: 6 }));
  await first.write(bytes("123"));
  for (const facts of [{ size: null }, { size: 3, base: "fresh" }, { size: 3, base: 0 }] as const) {
    const fresh = await begin(anna, request("/home/a", facts));
    assert.equal(fresh.offset, 0);
    await fresh.write(bytes("new"));
    await fresh.commit(sha256("new"), true);
  }
  await first.write(bytes("456"));
  await first.commit(sha256("123456"), true);
  assert.equal(setup.read("/home/a"), "123456");
  setup.check();
});

Deno.test("a sealed upload is not taken over", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const first = await begin(anna, request("/home/a", { size: 6 }));
  await first.write(bytes("123456"));
  setup.store.db.run("UPDATE upload SET sha256 = ?", sha256("123456"));
  const second = await begin(anna, request("/home/a", { size: 6 }));
  assert.equal(second.offset, 0);
  await second.drop();
  await first.commit(null, true);
  assert.equal(setup.read("/home/a"), "123456");
});

Deno.test("of two uploads with different bytes one becomes the file, whole, or none", async () => {
  const size = 400_000;
  const piece = 8192;
  for (let round = 0; round < 12; round++) {
    using two = new Two();
    const { setup } = two;
    const anna = setup.user("anna", size);
    const other = setup.login("anna", two.other);
    const contents = [1, 2].map((n) => new Uint8Array(size).fill(n));
    const rest = async (upload: Incoming, content: Uint8Array) => {
      const writes = [];
      for (let at = upload.offset; at < size; at += piece) {
        const writing = upload.writeAt(at, content.subarray(at, at + piece));
        writing.catch(() => {/* awaited below */});
        writes.push(writing);
        if (at % (piece * (round + 1)) === 0) await writing;
      }
      await Promise.all(writes);
      await upload.commit(sha256(content), true);
    };
    const first = await begin(anna, request("/home/a", { size }));
    const writing = rest(first, contents[0]).then(() => "ok", (error) => error.kind as string);
    const second = await begin(other, request("/home/a", { size }));
    await second.truncate(0); // its prefix is another's
    const taken = rest(second, contents[1]).then(() => "ok", (error) => error.kind as string);
    assert.deepEqual([await writing, await taken], ["unavailable", "ok"], `round ${round}`);
    await first.detach();
    assert.equal(sha256(Deno.readFileSync(setup.disk("/home/a"))), sha256(contents[1]));
    const { used, reserved } = setup.account("anna");
    assert.deepEqual([used, reserved, setup.staged()], [size, 0, []]);
    setup.check();
  }
});

Deno.test("each of thirty connections takes over from the one before", async () => {
  using two = new Two();
  const { setup } = two;
  setup.user("anna", 31);
  const uploads: Incoming[] = [];
  for (let i = 0; i <= 30; i++) {
    const session = setup.login("anna", i % 2 ? two.other : setup.store);
    const upload = await begin(session, request("/home/a", { size: 31 }));
    assert.equal(upload.offset, i);
    await upload.write(bytes("x"));
    uploads.push(upload);
  }
  for (const upload of uploads.slice(0, -1)) {
    await fails("unavailable", () => upload.write(bytes("y")));
    await upload.detach();
  }
  await uploads.at(-1)!.commit(sha256("x".repeat(31)), true);
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [31, 0]);
});

Deno.test("of connections that take over at once, one goes on and the others fail", async () => {
  using two = new Two();
  const { setup } = two;
  setup.user("anna", 3);
  const outcomes = await Promise.all(Array.from({ length: 16 }, async (_, i) => {
    const session = setup.login("anna", i % 2 ? two.other : setup.store);
    try {
      const upload = await begin(session, request("/home/a", { size: 3 }));
      if (upload.offset === 0) await upload.write(bytes("abc"));
      await upload.commit(sha256("abc"), true);
      return "ok";
    } catch (error) {
      return (error as { kind: string }).kind;
    }
  }));
  assert.ok(outcomes.includes("ok"), outcomes.join());
  for (const outcome of outcomes) assert.match(outcome, /^(ok|unavailable|over-quota)$/);
  assert.equal(setup.read("/home/a"), "abc");
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [3, 0]);
  assert.deepEqual(setup.staged(), []);
  setup.check();
});

Deno.test("a late write of a former holder that no fence reaches is noticed", async () => {
  using setup = new Setup();
  using other = setup.open(); // shares no table of fences, as if the worker had died in that write
  setup.user("anna");
  const first = await begin(setup.login("anna", other), request("/home/a", { size: 10 }));
  await first.write(bytes("12345"));
  const second = await begin(setup.login("anna"), request("/home/a", { size: 10 }));
  await second.write(bytes("67890"));
  await first.write(bytes("late!"));
  await fails("unavailable", () => first.commit(null, true), /taken over/);
  await fails("unavailable", () => second.commit(sha256("1234567890"), true), /at once/);
  assert(!setup.exists("/home/a"));
  assert.deepEqual([setup.staged(), setup.account("anna").reserved], [[], 0]);
});

Deno.test("an upload is taken over while it is checked, and is checked again", async () => {
  const checks: string[] = [];
  let release = () => {};
  using setup = new Setup();
  using store = setup.open({}, 0, {
    async check({ sha256 }, stop) {
      checks.push(sha256);
      if (checks.length > 1) return;
      await new Promise<void>((resolve, reject) => {
        release = resolve;
        stop.addEventListener("abort", () => reject(stop.reason));
      });
    },
  });
  setup.user("anna");
  const anna = setup.login("anna", store);
  const first = await begin(anna, request("/home/a", { size: 3 }));
  await first.write(bytes("abc"));
  const committing = first.commit(null, true);
  while (checks.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const second = await begin(anna, request("/home/a", { size: 3 }));
  assert.equal(second.offset, 3);
  release();
  await fails("unavailable", () => committing, /taken over/);
  await second.commit(null, true);
  assert.deepEqual(checks, [sha256("abc"), sha256("abc")]);
  assert.equal(setup.read("/home/a"), "abc");
});

Deno.test("an upload that is removed while it is written ends, and is not kept", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const first = await begin(anna, request("/home/a", { size: 3 }));
  await first.write(bytes("ab"));
  await remove(anna, "/home/a", false);
  await fails("not-found", () => stat(anna, "/home/a"));
  await fails("unavailable", () => first.write(bytes("c")), /removed/);
  await first.detach();
  assert.deepEqual([setup.account("anna").reserved, setup.staged()], [0, []]);
});

Deno.test("an upload without a path is dropped after its worker's death", async () => {
  using setup = new Setup();
  using store = setup.open({}, 0);
  setup.user("anna", 10);
  const upload = await begin(setup.login("anna", store), request("/home/a", { size: 10 }));
  await upload.write(bytes("12345"));
  upload.unlink();
  assert.equal(setup.account("anna").reserved, 10);
  const { dropped, resumable } = await settleDead(setup.store, store.startId);
  assert.deepEqual([dropped, resumable], [1, 0]);
  await upload.drop(); // closes its file
  assert.deepEqual([setup.account("anna").reserved, setup.staged()], [0, []]);
  setup.check();
});
