import assert from "node:assert/strict";
import { clip } from "../../cmd/_term/clip.ts";
import { table } from "../../cmd/_term/table.ts";
import { printable } from "../../core/protocol/printable.ts";

Deno.test("control characters are escaped, other characters stay", () => {
  assert.equal(printable("tab\tbell\x07 del\x7f csi\x9b"), "tab\\tbell\\x07 del\\x7f csi\\x9b");
  assert.equal(printable("Größe 写真 👍🏽 é"), "Größe 写真 👍🏽 é");
});

Deno.test("clipped text keeps its ends and whole letters", () => {
  assert.equal(clip("abcdefgh", 8), "abcdefgh");
  assert.equal(clip("abcdefgh", 7), "abc…fgh");
  assert.equal(clip("👍🏽👍🏽👍🏽", 5), "👍🏽…👍🏽");
  assert.equal(clip("abc", 0), "");
});

Deno.test("the columns of a table are aligned", () => {
  assert.deepEqual(table([["NAME", "USED"], ["a", "1"], ["long", "22"]], [1]), [
    "NAME  USED",
    "a        1",
    "long    22",
  ]);
});
