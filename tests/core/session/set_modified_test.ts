/** Setting times: digests, rights and failures. */
import assert from "node:assert/strict";
import { mkdir } from "../../../core/session/mkdir.ts";
import { setModified } from "../../../core/session/set_modified.ts";
import { stat } from "../../../core/session/stat.ts";
import { begin, fails, read, request, Setup, write } from "../_setup.ts";

const time = Date.UTC(2001, 1, 3, 4, 5, 6);

Deno.test("a file keeps its digest when its time is set", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const { sha256 } = await write(anna, "/home/a", "hello");
  assert.equal(await setModified(anna, "/home/a", time), time);
  const { entry } = await stat(anna, "/home/a");
  assert.equal(entry?.modified, "2001-02-03T04:05:06.000Z");
  assert.equal(entry?.sha256, sha256);
  assert.equal(Deno.statSync(setup.disk("/home/a")).mtime?.getTime(), time);
  assert.equal((await read(anna, "/home/a")).stored, sha256);
  setup.check();
});

Deno.test("the time of a folder can be set, also in /public", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await mkdir(anna, { verb: "mkdir", path: "/public/d", parents: false });
  await setModified(anna, "/public/d", time);
  assert.equal((await stat(anna, "/public/d")).entry?.modified, "2001-02-03T04:05:06.000Z");
});

Deno.test("an account that may not replace a file can't set its time", async () => {
  using setup = new Setup();
  const [anna, bob, root] = [setup.user("anna"), setup.user("bob"), setup.user("r", null, "admin")];
  await write(anna, "/public/a", "hello");
  await fails("denied", () => setModified(bob, "/public/a", time), /belongs to anna/);
  assert.notEqual((await stat(anna, "/public/a")).entry?.modified, new Date(time).toISOString());
  await setModified(root, "/public/a", time);
  assert.equal((await stat(anna, "/public/a")).entry?.owner, "anna");
});

Deno.test("setting a time fails for paths that have none", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await fails("not-found", () => setModified(anna, "/home/none", time));
  for (const path of ["/", "/home", "/public"]) {
    await fails("exists", () => setModified(anna, path, time));
  }
  await write(anna, "/home/a", "hello");
  for (const no of [NaN, Infinity, 1e300, Date.UTC(9999, 0), Date.UTC(1900, 0)]) {
    await fails("usage", () => setModified(anna, "/home/a", no));
    await fails("usage", () => write(anna, "/home/b", "hello", { modified: no }));
    const facts = request("/home/b", { modified: no });
    await fails("usage", () => begin(anna, facts));
  }
  for (const modified of ["9999-12-31T00:00:00Z", "1900-01-01T00:00:00Z"]) {
    const request = { verb: "mkdir", path: "/home/d", parents: true, modified } as const;
    await fails("usage", () => mkdir(anna, request));
  }
  await fails("not-found", () => stat(anna, "/home/d"));
  Deno.symlinkSync("/etc/passwd", setup.disk("/home/link"));
  await fails("denied", () => setModified(anna, "/home/link", time));
});

Deno.test("the time of a file that was changed by hand can't be set", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const { modified } = await write(anna, "/home/a", "hello");
  Deno.writeTextFileSync(setup.disk("/home/a"), "HELLO");
  Deno.utimeSync(setup.disk("/home/a"), 1, 1);
  await fails("changed", () => setModified(anna, "/home/a", modified));
  assert.equal((await stat(anna, "/home/a")).entry?.sha256, null);
  Deno.writeTextFileSync(setup.disk("/home/b"), "by hand");
  assert.equal(await setModified(anna, "/home/b", time), time);
});
