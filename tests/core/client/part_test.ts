import assert from "node:assert/strict";
import { Folders } from "../../../core/client/download/folders.ts";
import { Part, partPrefix, removeStale } from "../../../core/client/download/part.ts";
import { plant } from "./_setup.ts";

const sha = "0123456789abcdef".repeat(4);

async function inTemp(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const names = (dir: string) => Array.from(Deno.readDirSync(dir), ({ name }) => name).sort();

Deno.test("a part is reopened and renamed to its target", () =>
  inTemp(async (dir) => {
    const first = Part.open(`${dir}/a`, sha, new Folders());
    first.file.writeSync(new TextEncoder().encode("some"));
    first.keep();
    assert.deepEqual(names(dir), [".a.0123456789abcdef.part"]);
    plant(dir, { "a": "old" });
    Deno.chmodSync(`${dir}/a`, 0o600);
    const second = Part.open(`${dir}/a`, sha, new Folders());
    assert.equal(second.offset, 4);
    await second.commit(new Date(1_000_000_123));
    assert.deepEqual(names(dir), ["a"]);
    const facts = Deno.statSync(`${dir}/a`);
    assert.equal(Deno.readTextFileSync(`${dir}/a`), "some");
    assert.equal(facts.mtime?.getTime(), 1_000_000_123);
    assert.equal(facts.mode! & 0o777, 0o600);
  }));

Deno.test("an empty part is removed", () =>
  inTemp((dir) => {
    Part.open(`${dir}/a`, sha, new Folders()).keep();
    assert.deepEqual(names(dir), []);
    return Promise.resolve();
  }));

Deno.test("a planted link is not written through", () =>
  inTemp(async (dir) => {
    plant(dir, { "precious": "keep me" });
    Deno.symlinkSync("precious", `${dir}/.a.0123456789abcdef.part`);
    const part = Part.open(`${dir}/a`, sha, new Folders());
    part.file.writeSync(new TextEncoder().encode("new"));
    await part.commit(new Date());
    assert.equal(Deno.readTextFileSync(`${dir}/precious`), "keep me");
    assert.equal(Deno.readTextFileSync(`${dir}/a`), "new");
  }));

Deno.test("of two open parts of one target, the second has another name", () =>
  inTemp(async (dir) => {
    const [one, two] = [
      Part.open(`${dir}/a`, sha, new Folders()),
      Part.open(`${dir}/a`, sha, new Folders()),
    ];
    assert.notEqual(one.path, two.path);
    await one.commit(new Date());
    await two.commit(new Date());
    assert.deepEqual(names(dir), ["a"]);
  }));

Deno.test("stale parts are removed, but not the parts of other files and locked ones", () =>
  inTemp((dir) => {
    plant(dir, {
      ".a.1111111111111111.part": "x",
      ".a.b.1111111111111111.part": "x",
      ".a.no-digest.part": "x",
    });
    const busy = Part.open(`${dir}/a`, sha, new Folders());
    busy.file.writeSync(new Uint8Array(1));
    removeStale(`${dir}/a`, new Folders());
    assert.deepEqual(names(dir), [
      ".a.0123456789abcdef.part",
      ".a.b.1111111111111111.part",
      ".a.no-digest.part",
    ]);
    busy.keep();
    return Promise.resolve();
  }));

Deno.test("a part's name fits for any length of the target's name", () =>
  inTemp((dir) => {
    for (const name of ["x".repeat(255), "é".repeat(127), "🚢".repeat(63)]) {
      const part = Part.open(`${dir}/${name}`, sha, new Folders());
      part.discard();
      assert.ok(partPrefix(name).length > 50);
    }
    return Promise.resolve();
  }));

Deno.test("folders, devices and missing folders are refused as targets", () =>
  inTemp((dir) => {
    const kind = (kind: string) => (error: unknown) => (error as { kind: string }).kind === kind;
    assert.throws(() => Part.open(dir, sha, new Folders()), kind("exists"));
    assert.throws(() => Part.open("/dev/null", sha, new Folders()), kind("usage"));
    assert.throws(() => Part.open(`${dir}/none/a`, sha, new Folders()), kind("no-directory"));
    return Promise.resolve();
  }));

Deno.test("a folder is read once, and distinguishes existing names from missing ones", () =>
  inTemp((dir) => {
    plant(dir, { "a": "1", ".b.0123456789abcdef.part": "2" });
    const folders = new Folders();
    assert.equal(folders.lacks(dir, "a"), false);
    assert.equal(folders.lacks(dir, "b"), true);
    assert.deepEqual(folders.parts(dir), [".b.0123456789abcdef.part"]);
    plant(dir, { "b": "3" });
    assert.equal(folders.lacks(dir, "b"), true);
    assert.equal(folders.lacks(`${dir}/none`, "b"), false, "of an unknown folder nothing is sure");
    return Promise.resolve();
  }));
