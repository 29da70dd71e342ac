import assert from "node:assert/strict";
import { exclude } from "../../../core/client/filter/glob.ts";
import { walk } from "../../../core/client/transfer/walk.ts";
import { plant } from "./_setup.ts";

const none = exclude([]);

async function inTemp(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a walk lists folders before their contents, in order", () =>
  inTemp(async (dir) => {
    plant(dir, { "b/2": "22", "b/1": "1", "a": "", "c/": "" });
    const { items, failed, omitted } = await walk(dir, { excluded: none });
    assert.deepEqual(items.map(({ name }) => name), ["", "a", "b", "c", "b/1", "b/2"]);
    assert.equal(items.find(({ name }) => name === "b/2")?.size, 2);
    assert.deepEqual([failed, omitted], [[], []]);
  }));

Deno.test("an excluded folder is not read", () =>
  inTemp(async (dir) => {
    plant(dir, { "skip/x": "", "keep/x.o": "", "keep/y": "" });
    const { items } = await walk(dir, { excluded: exclude(["skip/", "*.o"]) });
    assert.deepEqual(items.map(({ name }) => name), ["", "keep", "keep/y"]);
  }));

Deno.test("links are omitted, or followed without circles", () =>
  inTemp(async (dir) => {
    plant(dir, { "real/file": "x" });
    Deno.symlinkSync("real", `${dir}/again`);
    Deno.symlinkSync("..", `${dir}/real/up`);
    Deno.symlinkSync("nowhere", `${dir}/broken`);
    const plain = await walk(dir, { excluded: none });
    assert.deepEqual(plain.items.map(({ name }) => name), ["", "real", "real/file"]);
    assert.equal(plain.omitted.length, 3);
    assert.match(plain.omitted[0].message, /is a symbolic link; --follow/);
    const followed = await walk(dir, { excluded: none, follow: true });
    const names = followed.items.map(({ name }) => name);
    assert.deepEqual(names, ["", "again", "real", "again/file", "real/file"]);
    assert.deepEqual(followed.omitted.map(({ name }) => name), ["again/up", "real/up"]);
    assert.match(followed.omitted[0].message, /link to a folder above it/);
    assert.deepEqual(followed.failed.map(({ error }) => error.kind), ["not-found"]);
  }));

const python = await new Deno.Command("python3", { args: ["--version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);

// Needs python3: Deno can make neither a name that is not UTF-8 nor a pipe.
Deno.test({
  name: "names that are not UTF-8 fail, and pipes are omitted",
  ignore: !python,
  fn: () =>
    inTemp(async (dir) => {
      plant(dir, { "\uFFFD is a fine name": "x" });
      const script = [
        "import os, sys",
        "d = os.fsencode(sys.argv[1])",
        'open(d + b"/bad\\xff", "w")',
        'os.mkfifo(d + b"/pipe")',
      ];
      await new Deno.Command("python3", { args: ["-c", script.join("\n"), dir] }).output();
      const { items, failed, omitted } = await walk(dir, { excluded: none });
      assert.deepEqual(items.map(({ name }) => name), ["", "\uFFFD is a fine name"]);
      assert.equal(failed.length, 1);
      // The same kind as for `get -r` of such a name at the server: a retry does not help.
      assert.equal(failed[0].error.kind, "refused");
      assert.match(failed[0].error.message, /not valid UTF-8/);
      assert.match(omitted[0].message, /neither a file nor a folder/);
    }),
});
