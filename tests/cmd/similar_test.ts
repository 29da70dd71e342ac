import assert from "node:assert/strict";
import { expandChoice, menuLines } from "../../cmd/_shell/menu.ts";
import { split } from "../../cmd/_shell/words.ts";
import { similar } from "../../cmd/_term/similar.ts";

Deno.test("only words with a similar spelling are suggested", () => {
  const options = ["--help", "--tls", "--timeout", "--update", "--delete", "--dry-run"];
  const cases: [string, string[]][] = [
    ["--hlep", ["--help"]],
    ["--tsl", ["--tls"]],
    ["--updte", ["--update"]],
    ["--dryrun", ["--dry-run"]],
    ["--DELETE", ["--delete"]],
    ["--x", []],
    ["--require-digest", []],
  ];
  for (const [word, expected] of cases) assert.deepEqual(similar(word, options), expected, word);
  assert.deepEqual(similar("ca", ["cd", "cp", "ls"]), ["cd", "cp"]);
});

Deno.test("a number of the menu becomes a command line with the answers", async () => {
  const numbers = menuLines().map((line) => line.trim()[0]);
  for (const number of numbers) {
    const line = await expandChoice(number, () => Promise.resolve("-my file"));
    const words = split(line!).map(({ text }) => text);
    assert.notEqual(words[0], number);
    assert(words.length === 1 || words[1] === "-my file", line!);
  }
  const silent = () => Promise.resolve(" ");
  assert.equal(await expandChoice("4", silent), "");
  assert.equal(await expandChoice("4", () => Promise.resolve(null)), null);
  assert.equal(await expandChoice("9", silent), "9");
  assert.equal(await expandChoice("ls 4", silent), "ls 4");
});
