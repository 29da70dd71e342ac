import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { quote, quoteRest, scan, split } from "../../cmd/_shell/words.ts";
import { baseIn, expandHome, resolveRemote } from "../../cmd/_shell/paths.ts";
import { readArguments, type Row } from "../../cmd/_shell/command.ts";
import { isSavable } from "../../cmd/_shell/history.ts";

const texts = (line: string) => split(line).map(({ text }) => text);

Deno.test("shell words: spaces separate words, unless quoted or escaped", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["  \t ", []],
    [" put  a\tb ", ["put", "a", "b"]],
    ['put "my file" b', ["put", "my file", "b"]],
    ["put 'my \"file\\' b", ["put", 'my "file\\', "b"]],
    ["put my\\ file", ["put", "my file"]],
    ['put "a\\"b\\\\c\\d"', ["put", 'a"b\\c\\d']],
    ["put a\"b c\"'d e'f", ["put", "ab cd ef"]],
    ['put "" x', ["put", "", "x"]],
    ["put 😀\\😀", ["put", "😀😀"]],
  ];
  for (const [line, words] of cases) deepStrictEqual(texts(line), words, line);
});

Deno.test("shell words: an open quote is refused, and completion can see it", () => {
  for (const line of ['put "a', "put 'a", "put a\\"]) {
    throws(() => split(line), { kind: "usage" }, line);
  }
  deepStrictEqual(scan('put "my fi').at(-1), { text: "my fi", raw: '"my fi', open: '"' });
  strictEqual(scan("put a\\").at(-1)?.open, "\\");
});

Deno.test("shell words: a quoted text is read as the same text", () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: "binary" })), (words) => {
    deepStrictEqual(texts(words.map(quote).join(" ")), words);
  }));
  fc.assert(fc.property(fc.string(), fc.constantFrom('"', "'"), (text, open) => {
    deepStrictEqual(texts(`x ${open}${quoteRest(text, open as '"')}${open}`), ["x", text]);
  }));
});

Deno.test("shell paths: remote ones stay below the root, and keep the slash at the end", () => {
  const cases: [string, string, string][] = [
    ["/home", "a", "/home/a"],
    ["/home/x", "..", "/home"],
    ["/home", "../../..", "/"],
    ["/home", "/public//a/./b/", "/public/a/b/"],
    ["/", "home", "/home"],
    ["/home", "./", "/home/"],
    ["/", "./", "/"],
    ["/home", "..a/...", "/home/..a/..."],
  ];
  for (const [folder, typed, path] of cases) strictEqual(resolveRemote(folder, typed), path, typed);
});

Deno.test("shell paths: names are resolved in /home or /public", () => {
  strictEqual(baseIn("/home", "/homely"), "/home");
  strictEqual(baseIn("/home", "/home"), "/home");
  strictEqual(baseIn("/public", "/"), "/public");
});

Deno.test("shell paths: ~ is the home folder only as the first name", () => {
  strictEqual(expandHome("a/~"), "a/~");
  strictEqual(expandHome("~bob"), "~bob");
});

const row: Row = {
  name: "ls",
  args: "[PATH]",
  takes: ["remote"],
  flags: { l: "", r: "" },
  brief: "",
  run() {},
};

Deno.test("shell arguments: flags may stand anywhere before --, unless quoted", () => {
  const read = (line: string) => {
    const { args, flags } = readArguments(row, split(line));
    return [args, [...flags].sort()];
  };
  deepStrictEqual(read("-lr a"), [["a"], ["l", "r"]]);
  deepStrictEqual(read("a -l -r"), [["a"], ["l", "r"]]);
  deepStrictEqual(read("-- -l"), [["-l"], []]);
  deepStrictEqual(read('"-l"'), [["-l"], []]);
  deepStrictEqual(read("-"), [["-"], []]);
});

Deno.test("shell arguments: unknown flags, too few and too many are usage errors", () => {
  const read = (row: Row, line: string) => () => readArguments(row, split(line));
  throws(read(row, "-x"), { kind: "usage" });
  throws(read(row, "-lx"), { kind: "usage" });
  throws(read({ ...row, flags: undefined }, "-l"), { kind: "usage" });
  throws(read(row, "a b"), { kind: "usage" });
  throws(read({ ...row, args: "PATH" }, "-l"), { kind: "usage" });
  deepStrictEqual(readArguments({ ...row, args: "[PATH...]" }, split("a b c")).args, [
    "a",
    "b",
    "c",
  ]);
});

Deno.test("shell history: lines that may hold a password are not saved", () => {
  for (const line of ["", "  ", " ls", "passwd hunter2", "passwd  x y", "login bob x"]) {
    strictEqual(isSavable(line), false, line);
  }
  for (const line of ["passwd", "passwd ", "ls passwd x", "get a"]) {
    strictEqual(isSavable(line), true, line);
  }
});
