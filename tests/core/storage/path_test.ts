import assert from "node:assert/strict";
import { locate } from "../../../core/storage/path.ts";
import { relative } from "../../../core/storage/place.ts";
import { fails } from "../_setup.ts";

Deno.test("a path finds its place, whatever UTF-8 it holds", () => {
  const at = (path: string) => relative(locate(path, "anna").place!);
  assert.equal(at("/home"), "homes/anna");
  assert.equal(at("/public"), "public");
  assert.equal(at("/home/a/b"), "homes/anna/a/b");
  for (
    const name of [
      ...["a b", `"'`, "a\nb", "-rf", "...", "..a", "a.", " ", "\\", "🚢", "é", "*?[", "\x01"],
      ...["~", "%2e%2e", "homes", "x".repeat(255), "é".repeat(127), "🚢".repeat(63)],
    ]
  ) assert.equal(at(`/public/${name}/${name}`), `public/${name}/${name}`);
  assert.deepEqual(
    ["/", "/home", "/public", "/home/a"].map((path) => locate(path, "anna").fixed),
    [true, true, true, false],
  );
  assert.equal(locate("/", "anna").place, undefined);
});

Deno.test("a malformed path is refused", async () => {
  const bad: [string, RegExp][] = [
    ["", /begins with/],
    ["home/a", /begins with/],
    ["//home", /empty part/],
    ["//", /empty part/],
    ["/home/", /empty part/],
    ["/home//a", /empty part/],
    ["/home/.", /not allowed/],
    ["/home/..", /not allowed/],
    ["/home/../../etc/passwd", /not allowed/],
    ["/..", /not allowed/],
    ["/home/a/../b", /not allowed/],
    ["/home/a\0b", /NUL/],
    ["/home/\ud800", /Unicode/],
    ["/home/\udc00a", /Unicode/],
    [`/home/${"x".repeat(256)}`, /longer than 255/],
    [`/home/${"é".repeat(128)}`, /longer than 255/],
    [`/home${"/aaaa".repeat(599)}a`, /longer than 3000/],
    ["x".repeat(60_000), /begins with/],
  ];
  for (const [path, pattern] of bad) {
    const { path: shown } = await fails("usage", () => locate(path, "anna"), pattern);
    assert(
      shown === undefined || shown.isWellFormed() && shown.length <= 201 && !shown.includes("\0"),
    );
  }
  assert(locate(`/home${"/aaaa".repeat(599)}`, "anna")); // 3,000 bytes
});

Deno.test("a path outside of /home and /public is not found", async () => {
  for (
    const path of ["/etc/passwd", "/homes/bob/a", "/staging/1", "/Home", "/public2", "/removed"]
  ) {
    await fails("not-found", () => locate(path, "anna"), /only \/home and \/public/);
  }
});
