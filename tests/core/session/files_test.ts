/** Reading, copying, moving, removing, listing. */
import assert from "node:assert/strict";
import { copy } from "../../../core/session/copy.ts";
import { copyTree } from "../../../core/session/copy.ts";
import { get } from "../../../core/session/get.ts";
import { entriesNamed, list } from "../../../core/session/list.ts";
import { mkdir } from "../../../core/session/mkdir.ts";
import { move } from "../../../core/session/move.ts";
import { remove } from "../../../core/session/remove.ts";
import type { Session } from "../../../core/login/session.ts";
import { stat } from "../../../core/session/stat.ts";
import { begin, bytes, fails, read, request, Setup, sha256, upload, write } from "../_setup.ts";

const folder = (path: string, parents = true) => ({ verb: "mkdir" as const, path, parents });

async function names(session: Session, path: string, recursive = false): Promise<string[]> {
  const all: string[] = [];
  for await (const batch of list(session, path, recursive)) all.push(...batch.map((e) => e.name));
  return all;
}

Deno.test("list: files made by hand cost one lock for a batch", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const many = 800;
  for (let i = 0; i < many; i++) Deno.writeTextFileSync(setup.disk(`/home/${i}`), "");
  await write(anna, "/home/known", "known");
  const { db } = setup.store;
  const transaction = db.transaction.bind(db);
  let locks = 0;
  db.transaction = (work) => {
    locks++;
    return transaction(work);
  };
  const listed = await names(anna, "/home");
  assert.equal(listed.length, many + 1);
  assert.ok(locks > 0 && locks <= many / 100, `${locks} locks`);
});

Deno.test("list: the folders of / have the times of their last changes", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  Deno.utimeSync(setup.disk("/home"), 1_000_000, 1_000_000);
  Deno.utimeSync(`${setup.data}/public`, 2_000_000, 2_000_000);
  const times = (entries: readonly { modified: string }[]) =>
    entries.map(({ modified }) => Date.parse(modified) / 1000);
  const listed = (await Array.fromAsync(list(anna, "/", false))).flat();
  assert.deepEqual(times(listed), [1_000_000, 2_000_000]);
  assert.deepEqual(times(await entriesNamed(anna, "/", ["public"])), [2_000_000]);
});

Deno.test("get: reads from any offset, with the stored digest or a computed one", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "0123456789");
  Deno.writeTextFileSync(setup.disk("/home/hand"), "0123456789");
  const digest = sha256("0123456789");
  for (const offset of [0, 3, 10]) {
    const text = "0123456789".slice(offset);
    assert.deepEqual(await read(anna, "/home/a", offset), { text, stored: digest, digest });
    assert.deepEqual(await read(anna, "/home/hand", offset), { text, stored: null, digest });
  }
  await fails("usage", () => get(anna, "/home/a", 11), /beyond/);
  await fails("not-found", () => get(anna, "/home/none", 0));
  for (const path of ["/", "/home", "/public"]) await fails("exists", () => get(anna, path, 0));
});

Deno.test("get: reads the file that was opened, also if its name is given to another", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  for (
    const change of [() => write(anna, "/home/a", "new"), () => remove(anna, "/home/a", false)]
  ) {
    await write(anna, "/home/a", "the old content");
    const file = await get(anna, "/home/a", 0);
    await change();
    const into = new Uint8Array(100);
    const n = await file.read(into);
    assert.equal(new TextDecoder().decode(into.subarray(0, n)), "the old content");
    assert.equal(await file.read(into), 0);
    assert.equal(file.digest(), sha256("the old content"));
    await file.close();
  }
});

Deno.test("get: notices a file that is truncated or extended by hand while it is read", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "0123456789");
  const file = await get(anna, "/home/a", 0);
  await file.read(new Uint8Array(4));
  Deno.truncateSync(setup.disk("/home/a"), 2);
  await fails("changed", () => file.read(new Uint8Array(4)));
  await file.close();
  const grown = await get(anna, "/home/a", 0);
  Deno.writeTextFileSync(setup.disk("/home/a"), "more", { append: true });
  assert.equal(await grown.read(new Uint8Array(100)), 2);
  assert.equal(await grown.read(new Uint8Array(100)), 0);
  await grown.close();
});

Deno.test("copy: is charged like a write, and keeps time and digest", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 25);
  const modified = Date.UTC(2001, 1, 3);
  await write(anna, "/home/a", "0123456789", { modified });
  const done = await copy(anna, "/home/a", "/public/b", "never");
  assert.deepEqual([done.modified, done.sha256], [modified, sha256("0123456789")]);
  assert.equal(setup.account("anna").used, 20);
  await fails("over-quota", () => copy(anna, "/home/a", "/home/c", "never"));
  await fails("exists", () => copy(anna, "/home/a", "/public/b", "never"));
  await fails("exists", () => copy(anna, "/home/a", "/home/a", "always"), /itself/);
  await fails("exists", () => copy(anna, "/home", "/public/c", "always"));
  await fails("not-found", () => copy(anna, "/home/none", "/home/c", "always"));
  await fails("no-directory", () => copy(anna, "/home/a", "/home/d/a", "always"));
  // A file that was changed on disk with its time kept can't be copied.
  const facts = Deno.statSync(setup.disk("/home/a"));
  Deno.writeTextFileSync(setup.disk("/home/a"), "012345678X");
  Deno.utimeSync(setup.disk("/home/a"), facts.mtime!, facts.mtime!);
  await fails("digest", () => copy(anna, "/home/a", "/public/b", "always"));
  const stopped = AbortSignal.abort();
  await assert.rejects(() => copy(anna, "/public/b", "/home/z", "always", stopped));
  assert(!setup.exists("/home/z"));
  setup.check();
  assert.deepEqual([setup.staged(), setup.account("anna").reserved], [[], 0]);
});

Deno.test("move: replaces files, moves folders, also between the spaces, and keeps charges", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 100);
  await mkdir(anna, folder("/home/d/e"));
  await write(anna, "/home/a", "12345");
  await write(anna, "/home/b", "1");
  await write(anna, "/home/d/e/f", "123");
  await fails("exists", () => move(anna, "/home/a", "/home/b", "never"));
  await fails("exists", () => move(anna, "/home/a", "/home/d", "always"), /folder/);
  await fails("exists", () => move(anna, "/home/d", "/home/b", "always"), /file/);
  await fails("usage", () => move(anna, "/home/d", "/home/d/e/g", "always"), /itself/);
  await fails("no-directory", () => move(anna, "/home/a", "/home/x/a", "always"));
  await fails("not-found", () => move(anna, "/home/x", "/home/y", "always"));
  for (const path of ["/home", "/public", "/"]) {
    await fails("exists", () => move(anna, path, "/home/y", "always"));
    await fails("exists", () => move(anna, "/home/a", path, "always"));
  }
  await move(anna, "/home/a", "/home/a", "never");
  await move(anna, "/home/a", "/home/b", "always");
  assert.equal(setup.account("anna").used, 8);
  await mkdir(anna, folder("/public/empty"));
  await fails("exists", () => move(anna, "/home/d", "/public/empty", "always"));
  await move(anna, "/home/d", "/public/d", "never");
  assert.equal((await stat(anna, "/public/d/e/f")).entry?.sha256, sha256("123"));
  await move(anna, "/public/d/e/f", "/home/f", "never");
  assert.deepEqual(await names(anna, "/public", true), ["d", "d/e", "empty"]);
  assert.equal(setup.account("anna").used, 8);
  setup.check();
});

Deno.test("remove: removes files, folders and partial uploads", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 100);
  await mkdir(anna, folder("/home/d/e"));
  await write(anna, "/home/d/a", "12345");
  await write(anna, "/home/d/e/b", "123");
  Deno.writeTextFileSync(setup.disk("/home/d/hand"), "by hand");
  for (const name of ["d/half", "d/e/half", "half"]) {
    const going = await begin(anna, request(`/home/${name}`, { size: 10 }));
    await going.write(bytes("12345"));
    await going.detach();
  }
  const busy = await begin(anna, request("/home/busy", { size: 10 }));
  assert.equal(await remove(anna, "/home/busy", false), 0);
  await fails("unavailable", () => busy.write(bytes("1")), /removed/);
  await busy.detach();
  await fails("exists", () => remove(anna, "/home/d", false), /not empty/);
  await fails("not-found", () => remove(anna, "/home/x", true));
  for (const path of ["/", "/home", "/public"]) {
    await fails("exists", () => remove(anna, path, true));
  }
  assert.equal(await remove(anna, "/home/d", true), 2);
  assert.deepEqual([setup.account("anna").used, setup.account("anna").reserved], [0, 5]);
  assert.equal(await remove(anna, "/home/half", false), 0);
  assert.deepEqual([setup.account("anna").reserved, setup.staged()], [0, []]);
  await fails("not-found", () => stat(anna, "/home/half"));
});

Deno.test("mkdir: makes parents, sets times, and refuses existing names", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await fails("no-directory", () => mkdir(anna, folder("/home/a/b", false)));
  assert.equal(await mkdir(anna, folder("/home/a/b/c")), true);
  assert.equal(await mkdir(anna, folder("/home/a/b/c")), false);
  await fails("exists", () => mkdir(anna, folder("/home/a/b/c", false)));
  for (const path of ["/", "/home", "/public"]) {
    assert.equal(await mkdir(anna, folder(path)), false);
    await fails("exists", () => mkdir(anna, folder(path, false)));
  }
  const modified = "2001-02-03T04:05:06.789Z";
  await mkdir(anna, { ...folder("/home/t"), modified });
  assert.equal((await stat(anna, "/home/t")).entry?.modified, modified);
});

Deno.test("list: is sorted, with folders before their entries, and lists a file as itself", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const bob = setup.user("bob");
  await write(bob, "/home/secret", "s");
  await mkdir(anna, folder("/home/b/x"));
  for (const path of ["/home/c", "/home/a", "/home/b/z", "/home/b/x/y", "/home/B"]) {
    await write(anna, path, "x");
  }
  assert.deepEqual(await names(anna, "/home"), ["B", "a", "b", "c"]);
  assert.deepEqual(await names(anna, "/home", true), ["B", "a", "b", "b/x", "b/x/y", "b/z", "c"]);
  assert.deepEqual(await names(anna, "/"), ["home", "public"]);
  assert.deepEqual((await names(anna, "/", true)).slice(0, 3), ["home", "home/B", "home/a"]);
  assert.deepEqual(await names(anna, "/home/a", true), ["a"]);
  assert.deepEqual(await names(anna, "/public"), []);
  await fails("not-found", () => names(anna, "/home/none"));
  await fails("not-found", () => names(anna, "/home/secret"));
});

Deno.test("list: a huge folder comes in batches, and folders may vanish meanwhile", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const many = 800;
  for (let i = 0; i < many; i++) Deno.writeTextFileSync(setup.disk(`/home/f${i}`), "");
  const sizes: number[] = [];
  for await (const batch of list(anna, "/home", false)) sizes.push(batch.length);
  assert.equal(sizes.reduce((a, b) => a + b), many);
  assert(Math.max(...sizes) <= 256);
  for (const name of ["a", "b"]) await mkdir(anna, folder(`/public/${name}/sub`));
  const seen: string[] = [];
  for await (const batch of list(anna, "/public", true)) {
    seen.push(...batch.map((entry) => entry.name));
    if (seen.at(-1) === "b") await remove(anna, "/public/b", true);
  }
  assert.deepEqual(seen, ["a", "a/sub", "b"]);
});

Deno.test("a full disk is reported as no-space, and nothing is lost", async (t) => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const staging = `${setup.data}/staging`;
  const mount = async (...args: string[]) =>
    (await new Deno.Command("mount", { args, stderr: "null" }).output()).success;
  if (!await mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", staging).catch(() => false)) {
    return void await t.step({ name: "skipped: can't mount a tmpfs here", ignore: true, fn() {} });
  }
  try {
    const large = new Uint8Array(2 * 1024 * 1024);
    for (const size of [large.length, null]) {
      await fails("no-space", () => upload(anna, "/home/a", large, { size }), /space/);
      assert.deepEqual([setup.staged(), setup.account("anna").reserved], [[], 0]);
    }
  } finally {
    await new Deno.Command("umount", { args: [staging] }).output();
  }
  await upload(anna, "/home/a", new Uint8Array(2 * 1024 * 1024));
  setup.check();
});

Deno.test("no folder is copied or moved into itself, and the root not at all", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", null, "admin");
  await write(anna, "/home/a", "a");
  await mkdir(anna, { verb: "mkdir", path: "/home/d", parents: false });
  const pairs = [
    ["/", "/public/x"],
    ["/", "/home/d"],
    ["/home", "/home/x"],
    ["/home", "/home/d/x"],
    ["/public", "/public/x"],
    ["/home/d", "/home/d/x"],
    ["/home/d", "/home/d"],
  ];
  for (const [from, to] of pairs) {
    await fails("usage", () => copyTree(anna, from, to, "always"), /into itself/);
    if (from === to) await move(anna, from, to, "always"); // as rename(): without effect
    else if (from === "/home/d") await fails("usage", () => move(anna, from, to, "always"));
    else await fails("exists", () => move(anna, from, to, "always"));
  }
  for (const fixed of ["/", "/home", "/public"]) {
    await fails("exists", () => copyTree(anna, "/home/a", fixed, "always"));
    await fails("exists", () => move(anna, "/home/a", fixed, "always"));
  }
  assert.deepEqual([...Deno.readDirSync(setup.disk("/public"))], []);
  assert.deepEqual([...Deno.readDirSync(setup.disk("/home/d"))], []);
  // A copy of a whole home.
  assert.equal((await copyTree(anna, "/home", "/public/x", "never")).files, 1);
});

Deno.test("copy and move: a failure names the path that it is about", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", 10);
  await write(anna, "/home/a", "012345");
  await write(anna, "/home/b", "0");
  const about = async (path: string, work: Promise<unknown>) => {
    const error = await work.then(() => assert.fail("no failure"), (error) => error);
    assert.equal(error.path, path, `${error}`);
  };
  for (const verb of [copy, move]) {
    await about("/home/b", verb(anna, "/home/a", "/home/b", "never"));
    await about("/home/none/b", verb(anna, "/home/a", "/home/none/b", "always"));
  }
  await about("/home/c", copy(anna, "/home/a", "/home/c", "always")); // over quota
});
