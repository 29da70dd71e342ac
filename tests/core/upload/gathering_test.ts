/** Uploads of unknown size: small ones are gathered, others staged, and none is lost by a cut. */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { mkdir } from "../../../core/session/mkdir.ts";
import { receive } from "../../../core/upload/receive.ts";
import { remove } from "../../../core/session/remove.ts";
import { stat } from "../../../core/session/stat.ts";
import { begin, bytes, fails, request, Setup, sha256, write } from "../_setup.ts";

const cut = new BargeError("unavailable", "cut");

Deno.test("a small upload is staged only by its commit, and is verified if the door says so", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  for (const verified of [true, false]) {
    const going = await receive(anna, request("/home/f"));
    const piece = bytes("some");
    await going.write(piece);
    piece.fill(0); // its writer may use it again
    await going.write(bytes(" text"));
    assert.deepEqual(setup.staged(), []);
    const { sha256: digest } = await going.commit(null, verified);
    assert.equal(digest, sha256("some text"));
    assert.equal(setup.read("/home/f"), "some text");
    const row = setup.store.ledger.file({ dir: "homes/anna", name: "f" });
    assert.equal(row?.verified, verified ? 1 : 0);
  }
  setup.check();
});

Deno.test("an upload that grows beyond the threshold is staged, in pieces of any size", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const content = new Uint8Array(65_537).map((_, i) => i % 251);
  for (const piece of [content.length, 65_536, 40_000, 999]) {
    const going = await receive(anna, request("/home/f"));
    for (let at = 0; at < content.length; at += piece) {
      await going.write(content.subarray(at, at + piece));
    }
    assert.equal(going.offset, content.length);
    assert.equal(setup.staged().length, 1);
    const { sha256: digest } = await going.commit(sha256(content), true);
    assert.equal(digest, sha256(content));
    assert.deepEqual(Deno.readFileSync(setup.disk("/home/f")), content);
  }
  setup.check();
});

Deno.test("a small upload that is cut off is kept if there is room", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 10);
  const small = await receive(anna, request("/home/f"));
  await small.fail(cut); // no byte has arrived, so that none is kept
  assert.deepEqual(setup.staged(), []);
  const going = await receive(anna, request("/home/f"));
  await going.write(bytes("half"));
  await going.fail(cut);
  assert.deepEqual((await stat(anna, "/home/f")).upload, { offset: 4, size: null });
  const rest = await begin(anna, request("/home/f", { base: "old" }));
  await rest.write(bytes(" more"));
  await rest.commit(null, false);
  assert.equal(setup.read("/home/f"), "half more");
  const large = await receive(anna, request("/home/g"));
  await large.write(bytes("eleven bytes"));
  await large.fail(cut);
  assert.deepEqual(setup.staged(), []);
  assert.equal(setup.account("anna").reserved, 0);
});

Deno.test("a wrong digest, a folder, another's file: refused, and nothing is left", async () => {
  using setup = new Setup();
  const [anna, bob] = [setup.user("anna"), setup.user("bob")];
  await write(bob, "/public/f", "bob's");
  await fails("denied", () => receive(anna, request("/public/f")), /belongs to bob/);
  await fails("exists", () => receive(anna, request("/home")));
  await fails("no-directory", () => receive(anna, request("/home/none/f")));
  const going = await receive(anna, request("/home/f"));
  await going.write(bytes("some"));
  const digest = await fails("digest", () => going.commit(sha256("other"), true));
  await going.fail(digest);
  assert.equal(setup.exists("/home/f"), false);
  assert.deepEqual(setup.staged(), []);
  setup.check();
});

Deno.test("a small upload whose folder is removed while it is kept reserves nothing", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 10);
  await mkdir(anna, { verb: "mkdir", path: "/home/d", parents: false });
  const going = await receive(anna, request("/home/d/f"));
  await going.write(bytes("half"));
  const { commits } = setup.store;
  const note = commits.note.bind(commits);
  commits.note = async (work) => {
    commits.note = note;
    await remove(anna, "/home/d", true);
    return await note(work);
  };
  await fails("no-directory", () => going.fail(cut)); // with its file and its fence
  assert.deepEqual([setup.staged(), setup.account("anna").reserved], [[], 0]);
  setup.check();
});

Deno.test("small files written at their end, as SFTP does, are gathered, too; others are staged in order", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const appended = await receive(anna, request("/home/f"));
  await appended.writeAt(0, bytes("some "));
  await appended.writeAt(5, bytes("text"));
  assert.deepEqual(setup.staged(), []);
  await appended.commit(null, true);
  assert.equal(setup.read("/home/f"), "some text");
  const changed = await receive(anna, request("/home/g"));
  await Promise.all([
    changed.writeAt(0, bytes("0123")),
    changed.writeAt(1, bytes("ab")),
    changed.write(bytes("4")),
    changed.writeAt(5, bytes("567")),
    changed.truncate(7),
  ]);
  assert.equal(setup.staged().length, 1);
  const into = new Uint8Array(10);
  assert.equal(await changed.readAt(0, into), 7);
  await changed.commit(sha256("0ab3456"), true);
  assert.equal(setup.read("/home/g"), "0ab3456");
  setup.check();
});

Deno.test("a gathered upload follows a rename, and is dropped after a removal", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 100);
  const moved = await receive(anna, request("/home/f"));
  await moved.write(bytes("text"));
  await moved.moveTo("/home/g", "never");
  await moved.commit(null, true);
  assert.deepEqual([setup.exists("/home/f"), setup.read("/home/g")], [false, "text"]);
  const removed = await receive(anna, request("/home/f"));
  await removed.write(bytes("text"));
  await removed.unlink();
  await removed.detach();
  assert.deepEqual([setup.staged(), setup.account("anna").reserved], [[], 0]);
  setup.check();
});

Deno.test("an announced upload has its room before its first byte", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 10);
  const announced = await receive(anna, request("/home/f", { size: 10, announced: true }));
  assert.equal(setup.account("anna").reserved, 10);
  await fails("over-quota", () => receive(anna, request("/home/g", { size: 1, announced: true })));
  const small = await receive(anna, request("/home/g", { size: 1, base: "fresh" }));
  await small.write(bytes("x"));
  await fails("over-quota", () => small.commit(null, true));
  await fails("protocol", async () => {
    const short = await receive(anna, request("/home/h", { size: 2, base: "fresh" }));
    await short.write(bytes("x"));
    await short.commit(null, true);
  });
  await announced.drop();
  setup.check();
});
