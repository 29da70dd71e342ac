import assert from "node:assert/strict";
import fc from "fast-check";
import type { AnyCommand, Tree } from "../../cmd/_term/command.ts";
import { parseAll } from "../../cmd/_term/optique.ts";
import type { Option } from "../../cmd/_term/options.ts";
import { read } from "../../cmd/_term/read.ts";
import { tree } from "../../main.ts";

/** Every verb of the program by its name. */
async function verbs(level: Tree = tree, group = ""): Promise<[string, AnyCommand][]> {
  const found: [string, AnyCommand][] = [];
  for (const [word, row] of Object.entries(level)) {
    const name = `${group}${word}`;
    if ("verbs" in row) found.push(...await verbs(row.verbs, `${name} `));
    if (row.load) found.push([name, (await row.load()).default]);
  }
  return found;
}

/** Words such as are on command lines of this verb, and some that are not. */
function words(options: readonly Option<unknown>[]): fc.Arbitrary<string> {
  const names = options.flatMap((option) => option.names);
  const short = names.filter((name) => /^-[^-]$/.test(name)).map((name) => name[1]);
  const texts = [
    "",
    "-",
    "5",
    "1MiB",
    "none",
    "off",
    "a b",
    "x=1",
    "127.0.0.1:1",
    "/home/é",
    "all",
  ];
  const text = fc.constantFrom(
    ...texts,
    "bash",
    "worker",
    "1.5",
    "--",
    "-5",
    "-é",
    "--no-such",
    "-z",
  );
  const all: fc.Arbitrary<string>[] = [text];
  if (names.length > 0) {
    const name = fc.constantFrom(...names);
    all.push(name, name, fc.tuple(name, text).map(([name, value]) => `${name}=${value}`));
    all.push(name.map((name) => name.slice(0, -1)));
  }
  if (short.length > 0) {
    const letters = fc.array(fc.constantFrom(...short), { minLength: 2, maxLength: 3 });
    all.push(letters.map((letters) => `-${letters.join("")}`));
  }
  return fc.oneof(...all);
}

const commands = await verbs();

Deno.test("what is read at once is what optique reads", async (t) => {
  let compared = 0;
  for (const [name, command] of commands) {
    await t.step(name, () => {
      const options = Object.values<Option<unknown>>(command.options);
      const line = fc.array(words(options), { maxLength: 6 });
      fc.assert(
        fc.property(line, (line) => {
          const quick = read(command.options, line);
          if (quick === undefined) return;
          compared++;
          assert.deepEqual({ ...parseAll(name, command, line)! }, quick);
        }),
        { numRuns: 200 },
      );
    });
  }
  assert(compared > 1000, `only ${compared} of the lines were in order`);
});

Deno.test("command lines that are in order need no optique", () => {
  const put = Object.fromEntries(commands).put;
  const lines = [
    ["a", "/home/"],
    ["-q", "a", "b", "/home/"],
    ["-rn", "--exclude", "*.o", "--exclude=b", "-", "--", "-c"],
    ["--server=barge://anna@box", "--timeout", "3", "a", "b"],
  ];
  for (const line of lines) assert(read(put.options, line), line.join(" "));
});
