import assert from "node:assert/strict";
import { excludedWithin } from "../../../core/client/filter/excluded.ts";
import { everything } from "../../../core/client/filter/filter.ts";
import { exclude } from "../../../core/client/filter/glob.ts";
import { leftOut } from "../../../core/client/filter/selection.ts";
import { decide, extraneous, type Item, sameTime } from "../../../core/client/transfer/plan.ts";
import { baseName, join, parentOf } from "../../../core/client/path.ts";
import { checkTogether } from "../../../core/client/transfer/check.ts";

const file = (name: string, size = 0, modified = 1): Item => ({
  name,
  type: "file",
  size,
  modified,
});
const dir = (name: string): Item => ({ name, type: "dir", size: 0, modified: 1 });

Deno.test("times are the same to the millisecond, or to the second where one has no fraction", () => {
  assert.ok(sameTime(1234, 1234));
  assert.ok(!sameTime(1234, 1235));
  assert.ok(sameTime(1000, 1999));
  assert.ok(sameTime(1500, 1000));
  assert.ok(!sameTime(1000, 2000));
  assert.ok(!sameTime(999, 1000));
});

Deno.test("only update and checksum compare", () => {
  const from = file("a", 3, 1500);
  assert.equal(decide(from, from, {}), "send");
  assert.equal(decide(from, from, { update: true }), "skip");
  assert.equal(decide(from, undefined, { update: true }), "send");
  assert.equal(decide(from, dir("a"), { update: true }), "send");
  assert.equal(decide(from, file("a", 3, 1501), { update: true }), "send");
  assert.equal(decide(from, file("a", 3, 9), { update: true, checksum: true }), "compare");
  assert.equal(decide(from, file("a", 4, 1500), { checksum: true }), "send");
});

Deno.test("a removed folder is listed once; an excluded name keeps the folders above it", () => {
  const existing = [
    dir(""),
    dir("a"),
    file("a/1"),
    dir("a/b"),
    file("a/b/x.o"),
    file("a/b/2"),
    dir("c"),
  ];
  const names = (wanted: string[], patterns: string[] = []) => {
    const filter = { ...everything, excluded: exclude(patterns) };
    const kept = new Set([...wanted, ...leftOut(existing, filter).map(({ name }) => name)]);
    return extraneous(existing, kept).map(({ name }) => name);
  };
  assert.deepEqual(names([]), ["a", "c"]);
  assert.deepEqual(names(["a/1"]), ["a/b", "c"]);
  assert.deepEqual(names([], ["*.o"]), ["a/1", "a/b/2", "c"]);
  assert.deepEqual(names(["c"], ["/a"]), []);
  assert.deepEqual(names(["c"], ["b/"]), ["a/1"]);
});

Deno.test("patterns mean what rsync's users expect", () => {
  const matches = (pattern: string, name: string, type: "file" | "dir" = "file") =>
    exclude([pattern])(name, type);
  assert.ok(matches("*.o", "deep/in/.hidden.o"));
  assert.ok(matches("*", "any\nthing"));
  assert.ok(!matches("/*.o", "deep/x.o"));
  assert.ok(matches("/*.o", "x.o"));
  assert.ok(matches("a/**", "a/b/new\nline"));
  assert.ok(!matches("a/*", "a/b/c"));
  assert.ok(matches("x?z", "xyz"));
  assert.ok(!matches("x?z", "x/z"));
  assert.ok(matches("[ab].txt", "b.txt"));
  assert.ok(!matches("tmp/", "tmp", "file"));
  assert.ok(matches("tmp/", "deep/tmp", "dir"));
  // These are literal.
  for (const name of ["a(1).txt", "{a,b}", "!x", "a+b", "@(a)", "$x^", "a|b"]) {
    assert.ok(matches(name, name), name);
  }
  assert.ok(!matches("{a,b}", "a"));
  assert.ok(matches("\\*", "*"));
  assert.ok(!matches("\\*", "a"));
  assert.ok(!exclude(["", "/"])("a", "file"));
  assert.ok(excludedWithin(exclude([".git/"]), "a/.git/x/y", "file"));
  assert.ok(!excludedWithin(exclude([".git/"]), "a/.git", "file"));
});

Deno.test("paths are joined and split", () => {
  assert.equal(join("/", "a"), "/a");
  assert.equal(join("a//", "b"), "a/b");
  assert.equal(join("/home/x/", ""), "/home/x");
  assert.equal(parentOf("/a"), "/");
  assert.equal(parentOf("a"), ".");
  assert.equal(parentOf("/a/b/"), "/a");
  assert.equal(baseName("-a\n"), "-a\n");
  assert.equal(baseName("a/.."), "");
});

Deno.test("standard streams take one file", () => {
  assert.throws(() => checkTogether("put", ["-"], "/home/", {}), /needs one file's name/);
  assert.throws(() => checkTogether("put", ["-", "a"], "/home/x", {}), /needs one file's name/);
  assert.throws(() => checkTogether("get", ["/a", "/b"], "-", {}), /only one file/);
  assert.throws(() => checkTogether("put", [], "/home/", {}), /no source is named/);
  assert.throws(() => checkTogether("put", ["a"], "/home/", { delete: true }), /--delete needs -r/);
  assert.throws(() => checkTogether("put", ["a/x", "b/x"], "/home/", {}), /would both become x/);
  checkTogether("put", ["-"], "/home/x", {});
  checkTogether("get", ["-"], ".", {});
});
