import { configureSync, resetSync } from "@logtape/logtape";
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { mkdir } from "../../../core/session/mkdir.ts";
import { move } from "../../../core/session/move.ts";
import { recover } from "../../../core/repair/recover.ts";
import { remove } from "../../../core/session/remove.ts";
import { stat } from "../../../core/session/stat.ts";
import { finishedUpload } from "../../../core/upload/partial_upload.ts";
import { arm } from "../../../core/storage/fault.ts";
import { until } from "../../_observe.ts";
import { begin, bytes, fails, read, request, Setup, sha256, upload, write } from "../_setup.ts";

const folder = (path: string) => ({ verb: "mkdir" as const, path, parents: true });

Deno.test("a new file is on disk and charged, with its digest and time", async () => {
  using setup = new Setup({ durability: "full" });
  const anna = setup.user("anna", 1000);
  const modified = Date.UTC(1969, 6, 20, 20, 17, 40, 123);
  for (const [path, send] of [["/home/a", write], ["/public/b", write]] as const) {
    const done = await send(anna, path, "hello", { modified });
    assert.deepEqual(done, { size: 5, sha256: sha256("hello"), modified, replaced: false });
    const { entry, upload } = await stat(anna, path);
    assert.deepEqual([entry?.size, entry?.sha256, entry?.owner, upload], [
      ...[5, sha256("hello"), "anna", null],
    ]);
    assert.equal(entry?.modified, new Date(modified).toISOString());
  }
  const content = new Uint8Array(900).fill(7);
  const done = await upload(anna, "/home/c", content, { modified }, 100);
  assert.deepEqual([done.modified, done.sha256], [modified, sha256(content)]);
  assert.equal((await read(anna, "/home/c")).stored, sha256(content));
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [910, 0]);
  await write(anna, "/home/empty", "");
  setup.check();
  assert.deepEqual(setup.staged(), []);
});

Deno.test("an overwrite is charged the difference; files of others are not credited", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 100);
  const root = setup.user("root", 100, "admin");
  await write(anna, "/public/a", "x".repeat(90));
  assert.equal((await write(anna, "/public/a", "y".repeat(100))).replaced, true);
  await fails("over-quota", () => write(anna, "/public/a", "z".repeat(101)), /needs 1 byte, 0/);
  await fails("over-quota", () => write(anna, "/public/b", "z"));
  await write(anna, "/public/a", "x".repeat(10));
  assert.equal(setup.account("anna").used, 10);
  await write(root, "/public/a", "r".repeat(100));
  assert.deepEqual([setup.account("anna").used, setup.account("root").used], [0, 100]);
  setup.check();
});

Deno.test("an upload can demand a free name, or a file with a given digest", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const sha = { sha256: sha256("one") };
  await fails("exists", () => write(anna, "/home/a", "x", { overwrite: sha }), /does not exist/);
  await write(anna, "/home/a", "one", { overwrite: "never" });
  await fails("exists", () => write(anna, "/home/a", "two", { overwrite: "never" }));
  await write(anna, "/home/a", "two", { overwrite: sha });
  await fails("exists", () => write(anna, "/home/a", "three", { overwrite: sha }), /changed/);
  await write(anna, "/home/b", "one");
  Deno.writeTextFileSync(setup.disk("/home/b"), "by hand");
  await fails("exists", () => write(anna, "/home/b", "two", { overwrite: sha }), /changed/);
  assert.equal(setup.read("/home/b"), "by hand");
  // Two uploads that both found the name free: the later one fails at its commit.
  const one = await begin(anna, request("/home/c", { size: 1, overwrite: "never" }));
  await write(anna, "/home/c", "first");
  await one.write(bytes("1"));
  await fails("exists", () => one.commit(null, true));
  assert.equal(setup.read("/home/c"), "first");
});

Deno.test("an upload fails without its folder, over a folder, and when its folder is removed", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await fails("no-directory", () => write(anna, "/home/d/a", "x"));
  await mkdir(anna, folder("/home/d"));
  await fails("exists", () => write(anna, "/home/d", "x"), /folder/);
  await fails("exists", () => write(anna, "/home", "x"));
  await fails("exists", () => write(anna, "/", "x"));
  const going = await begin(anna, request("/home/d/a", { size: 3 }));
  await going.write(bytes("abc"));
  await remove(anna, "/home/d", true);
  assert.deepEqual([setup.account("anna").reserved, setup.staged()], [0, []]);
  await fails("no-directory", () => going.commit(null, true), /removed or moved/);
  await mkdir(anna, folder("/home/d"));
  const again = await begin(anna, request("/home/d/a", { size: 3 }));
  assert.equal(again.offset, 0);
  await again.drop();
  setup.check();
});

Deno.test("a removed folder ends all uploads into it, and frees their room", async () => {
  using setup = new Setup();
  const [anna, bob] = [setup.user("anna"), setup.user("bob")];
  await mkdir(anna, folder("/public/d/e"));
  const cut = await begin(bob, request("/public/d/cut", { size: 5 }));
  await cut.write(bytes("1"));
  await cut.detach();
  const going = [];
  for (const [session, path] of [[anna, "/public/d/a"], [bob, "/public/d/e/b"]] as const) {
    going.push(await begin(session, request(path, { size: 5 })));
    await going.at(-1)!.write(bytes("12"));
  }
  await remove(anna, "/public/d", true);
  for (const name of ["anna", "bob"]) assert.equal(setup.account(name).reserved, 0);
  assert.deepEqual(setup.staged(), []);
  for (const upload of going) {
    await fails("no-directory", () => upload.write(bytes("345")), /removed or moved/);
    await upload.detach();
  }
  await mkdir(anna, folder("/public/d")); // a new one of that name does not get them
  await fails("not-found", () => stat(anna, "/public/d/a"));
  assert.deepEqual(setup.staged(), []);
  setup.check();
});

Deno.test("uploads follow a folder into a home of their own account only", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", null, "admin");
  const bob = setup.user("bob");
  await mkdir(anna, folder("/public/d"));
  const theirs = await begin(bob, request("/public/d/b", { size: 5 }));
  await theirs.write(bytes("12"));
  const own = await begin(anna, request("/public/d/a", { size: 5 }));
  await own.write(bytes("12"));
  await move(anna, "/public/d", "/home/d", "never");
  assert.deepEqual([setup.account("bob").reserved, setup.staged().length], [0, 1]);
  for (const upload of [own, theirs]) {
    await fails("no-directory", () => upload.write(bytes("345")), /moved/);
    await upload.detach();
  }
  assert.equal(setup.account("anna").reserved, 2);
  assert.deepEqual((await stat(anna, "/home/d/a")).upload, { offset: 2, size: 5 });
  await remove(anna, "/home/d/a", false);
  assert.deepEqual([setup.account("anna").reserved, setup.staged()], [0, []]);
  setup.check();
});

Deno.test("uploads into a folder follow its move", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 200);
  await mkdir(anna, folder("/home/d"));
  await write(anna, "/home/d/a", "x".repeat(100));
  const going = await begin(anna, request("/home/d/a", { size: 150 })); // counts on the 100
  await going.write(new Uint8Array(150));
  await move(anna, "/home/d", "/home/e", "never");
  await mkdir(anna, folder("/home/d"));
  await fails("no-directory", () => going.commit(null, true), /moved/);
  const { used, reserved } = setup.account("anna");
  assert.deepEqual([used, reserved], [100, 50]);
  const again = await begin(anna, request("/home/e/a", { size: 150 }));
  assert.equal(again.offset, 150);
  await again.commit(null, true);
  assert.equal(setup.account("anna").used, 150);
  setup.check();
});

Deno.test("the move of a file that an upload will replace needs room", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 200);
  await write(anna, "/home/a", "x".repeat(100));
  const going = await begin(anna, request("/home/a", { size: 150 }));
  await fails("over-quota", () => move(anna, "/home/a", "/home/b", "never"));
  assert(setup.exists("/home/a"));
  await going.write(new Uint8Array(120));
  await going.detach();
  await move(anna, "/home/a", "/home/b", "never"); // no connection writes it, so that it makes room
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [100, 0]);
  assert.deepEqual(setup.staged(), []);
  setup.check();
});

Deno.test("an upload of unknown size reserves ahead, up to the last byte of the quota", async () => {
  using setup = new Setup();
  const limit = 10 * 1024 * 1024;
  const anna = setup.user("anna", limit);
  const going = await begin(anna, request("/home/a"));
  const piece = new Uint8Array(1024 * 1024);
  await going.write(piece);
  assert.equal(setup.account("anna").reserved, 9 * 1024 * 1024);
  for (let i = 1; i < 10; i++) await going.write(piece);
  assert.equal(setup.account("anna").reserved, limit);
  const failure = await fails("over-quota", () => going.write(new Uint8Array(1)));
  await going.fail(failure);
  assert.equal(setup.account("anna").reserved, 0);
  assert.deepEqual(setup.staged(), []);
  const exact = await begin(anna, request("/home/a"));
  for (let i = 0; i < 10; i++) await exact.write(piece);
  await exact.commit(null, false);
  assert.equal(setup.account("anna").used, limit);
  setup.check();
});

Deno.test("an upload with more, fewer or other bytes than declared fails", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const going = await begin(anna, request("/home/a", { size: 3 }));
  await fails("protocol", () => going.write(bytes("abcd")), /more than/);
  await going.write(bytes("ab"));
  await fails("protocol", () => going.commit(null, true), /2 of 3/);
  await going.write(bytes("c"));
  await fails("digest", () => going.commit(sha256("abd"), true));
  assert(!setup.exists("/home/a"));
  assert.equal(setup.account("anna").reserved, 0);
  assert.deepEqual(setup.staged(), []);
});

Deno.test("an upload is resumed with its offset and prefix, also by another session", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 1000);
  const one = await begin(anna, request("/home/a", { size: 900 }));
  await one.write(new Uint8Array(600).fill(1));
  await one.detach();
  assert.equal(setup.account("anna").reserved, 600);
  assert.deepEqual(await stat(anna, "/home/a"), {
    entry: null,
    upload: { offset: 600, size: 900 },
  });
  // Other bytes take the room meanwhile: the upload stays, to be resumed when there is room.
  await write(anna, "/home/b", "x".repeat(400));
  await fails("over-quota", () => begin(anna, request("/home/a", { size: 900 })));
  assert.deepEqual(setup.staged().length, 1);
  await remove(anna, "/home/b", false);
  using elsewhere = setup.open();
  const two = await begin(setup.login("anna", elsewhere), request("/home/a", { size: 900 }));
  assert.equal(two.offset, 600);
  assert.equal(two.prefix, sha256(new Uint8Array(600).fill(1)));
  await two.write(new Uint8Array(300).fill(2));
  await two.commit(sha256(new Uint8Array(900).fill(1).fill(2, 600)), true);
  setup.check();
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [900, 0]);
});

Deno.test("a partial upload is dropped for a smaller file, and by an upload that can't resume it", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 1000);
  const cut = async () => {
    const going = await begin(anna, request("/home/a", { size: 900 }));
    if (going.offset === 0) await going.write(new Uint8Array(600));
    await going.detach();
  };
  await cut();
  const smaller = await begin(anna, request("/home/a", { size: 10 }));
  assert.equal(smaller.offset, 0);
  await smaller.drop();
  await cut();
  await upload(anna, "/home/a", new Uint8Array(1000), { size: null });
  await remove(anna, "/home/a", false);
  await cut();
  await write(anna, "/home/a", "x".repeat(1000));
  assert.deepEqual([setup.staged(), setup.account("anna").reserved], [[], 0]);
  setup.check();
});

Deno.test("of two uploads to one path both complete, and the last one is the file", async () => {
  for (const sizes of [[500, 500], [null, 500], [null, null]]) {
    using setup = new Setup();
    const anna = setup.user("anna", 20_000_000);
    const going = await Promise.all(
      // of one session, even
      sizes.map((size) => begin(anna, request("/home/a", { size, base: "fresh" }))),
    );
    const contents = [1, 2].map((n) => new Uint8Array(500).fill(n));
    for (let at = 0; at < 500; at += 100) {
      await Promise.all(going.map((u, i) => u.write(contents[i].subarray(at, at + 100))));
    }
    assert.equal((await going[0].commit(sha256(contents[0]), true)).replaced, false);
    assert.equal((await going[1].commit(sha256(contents[1]), true)).replaced, true);
    assert.deepEqual(Deno.readFileSync(setup.disk("/home/a")), contents[1]);
    assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [500, 0]);
    setup.check();
  }
});

Deno.test("of two uploads to one path, the one that is cut is dropped", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const one = await begin(anna, request("/home/a", { size: 10 }));
  const two = await begin(anna, request("/home/a", { size: 10, base: "fresh" }));
  await one.write(bytes("12345"));
  await two.write(bytes("67890"));
  await one.detach();
  await two.detach();
  assert.equal(setup.staged().length, 1);
  const again = await begin(anna, request("/home/a", { size: 10 }));
  assert.equal(again.prefix, sha256("67890"));
  await again.drop();
});

Deno.test("the upload of an account that is disabled meanwhile is not committed", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const going = await begin(anna, request("/home/a", { size: 1 }));
  await going.write(bytes("x"));
  setup.store.accounts.change("anna", { disabled: true });
  const failure = await fails("unauthenticated", () => going.commit(null, true));
  assert(failure instanceof BargeError && !setup.exists("/home/a"));
});

Deno.test("the record of a finished upload is replaced when the next one begins", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 10);
  const facts = { size: 3, base: "fresh", recorded: true } as const;
  const first = await begin(anna, request("/home/a", facts));
  await first.write(bytes("abc"));
  await first.commit(null, true);
  assert.equal((await finishedUpload(anna, "/home/a"))?.size, 3);
  await fails("over-quota", () => begin(anna, request("/home/a", { ...facts, size: 11 })));
  assert.equal((await finishedUpload(anna, "/home/a"))?.size, 3);
  const second = await begin(anna, request("/home/a", facts));
  assert.equal(await finishedUpload(anna, "/home/a"), undefined);
  await second.drop();
});

Deno.test("an upload that a full disk refuses gives its room back when the database can write again", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 100);
  const { db } = setup.store;
  const staging = `${setup.data}/staging`;
  arm((point) => {
    if (point !== "sealed") return;
    // As on a disk without room, neither the bytes nor the end of the upload can be written.
    Deno.removeSync(staging, { recursive: true });
    db.run("PRAGMA query_only = ON");
  });
  try {
    await fails("no-directory", () => write(anna, "/home/a", "hello"));
  } finally {
    arm(() => {});
  }
  assert.equal(setup.account("anna").reserved, 5);
  Deno.mkdirSync(staging);
  db.run("PRAGMA query_only = OFF");
  await until(() => setup.account("anna").reserved === 0);
  await write(anna, "/home/a", "hello");
  setup.check();
});

Deno.test("an upload's end that no repetition can mend is logged once, and the next start settles it", async () => {
  const logged: string[] = [];
  configureSync({
    sinks: { all: ({ message }) => void logged.push(message.join("")) },
    loggers: [
      { category: ["barge", "storage"], sinks: ["all"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
    reset: true,
  });
  try {
    using setup = new Setup();
    const anna = setup.user("anna", 100);
    const { db } = setup.store;
    const cut = await begin(anna, request("/home/a", { size: 50 }));
    await cut.write(bytes("he"));
    // As a fault of the program: its statement can't succeed.
    db.run("CREATE TRIGGER stuck BEFORE DELETE ON upload BEGIN SELECT RAISE(ABORT, 'stuck'); END");
    await cut.drop();
    db.run("DROP TRIGGER stuck");
    await write(anna, "/home/b", "hello"); // owed steps would be repeated with this commit
    assert.equal(logged.length, 1, logged.join());
    assert.match(
      logged[0],
      /a change of the ledger failed, and the next start settles it: .*stuck/,
    );
    assert.equal(setup.account("anna").reserved, 50);
    await recover(setup.store);
    assert.equal(setup.account("anna").reserved, 0);
    setup.check();
  } finally {
    resetSync();
  }
});

Deno.test("an upload that is cut off while the disk is full gives its unused room back when the database can write again", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 100);
  const { db } = setup.store;
  const holders = () => db.all("SELECT name, holder FROM upload WHERE holder IS NOT NULL");
  const cut = await begin(anna, request("/home/cut", { size: 50 }));
  const resumed = await begin(anna, request("/home/resumed", { size: 40 }));
  for (const upload of [cut, resumed]) await upload.write(bytes("he"));
  db.run("PRAGMA query_only = ON");
  for (const upload of [cut, resumed]) await upload.detach();
  assert.equal(setup.account("anna").reserved, 90);
  db.run("PRAGMA query_only = OFF");
  // A connection that takes an upload over meanwhile keeps it.
  const next = await begin(anna, request("/home/resumed", { size: 40 }));
  assert.equal(next.offset, 2);
  await until(() => setup.account("anna").reserved === 42);
  assert.deepEqual(holders().map(({ name }) => name), ["resumed"]);
  await next.write(bytes("x".repeat(38)));
  await next.commit(null, true);
  const last = await begin(anna, request("/home/cut", { size: 50 }));
  assert.equal(last.offset, 2);
  await last.drop();
  setup.check();
});
