import assert from "node:assert/strict";
import { BargeError } from "../../core/error.ts";
import {
  args,
  argument,
  flag,
  named,
  value,
  valueOr,
  values,
  variableOf,
} from "../../cmd/_term/command.ts";
import { asksForHelp, parseArgs } from "../../cmd/_term/parse.ts";
import { addressOrOff, count, plain, sizeOrNone } from "../../cmd/_term/value.ts";

const command = {
  options: named({
    paths: args("PATH", "paths", 0),
    dryRun: flag("dry", "-n"),
    recursive: flag("recursive", "-r"),
    quota: valueOr(sizeOrNone(), 5, "quota"),
    workers: value(count("N"), "workers"),
    native: value(addressOrOff(), "native"),
    exclude: values(plain("GLOB"), "exclude"),
  }),
  about: "",
  examples: [],
  run: () => Promise.resolve(),
};

/** Parses with variables set, and deletes them afterwards. */
function parse(line: readonly string[], variables: Record<string, string> = {}) {
  for (const [name, text] of Object.entries(variables)) Deno.env.set(name, text);
  try {
    return parseArgs("verb", command, line);
  } finally {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
  }
}

function refusal(line: readonly string[], variables: Record<string, string> = {}): BargeError {
  try {
    parse(line, variables);
  } catch (error) {
    assert(error instanceof BargeError);
    assert.equal(error.kind, "usage");
    return error;
  }
  throw new assert.AssertionError({ message: `accepted: ${line.join(" ")}` });
}

Deno.test("a variable is named after an option's long name", () => {
  assert.equal(variableOf(["-n", "--dry-run"]), "BARGE_DRY_RUN");
  assert.equal(variableOf(["--server"]), "BARGE_SERVER");
});

Deno.test("without options there are defaults", () => {
  assert.deepEqual(parse([]), {
    paths: [],
    dryRun: false,
    recursive: false,
    quota: 5,
    workers: undefined,
    native: undefined,
    exclude: [],
  });
});

Deno.test("a variable sets an option that the command line does not", () => {
  const variables = {
    BARGE_DRY_RUN: "yes",
    BARGE_RECURSIVE: "0",
    BARGE_QUOTA: "20GiB",
    BARGE_WORKERS: "3",
    BARGE_NATIVE: "off",
    BARGE_EXCLUDE: "*.o\n/build/",
  };
  const { dryRun, recursive, quota, workers, native, exclude } = parse([], variables);
  assert.deepEqual([dryRun, recursive, quota, workers, native], [
    true,
    false,
    20 * 1024 ** 3,
    3,
    null,
  ]);
  assert.deepEqual(exclude, ["*.o", "/build/"]);
});

Deno.test("the command line has precedence over the environment", () => {
  const variables = { BARGE_QUOTA: "1MB", BARGE_EXCLUDE: "a", BARGE_WORKERS: "nonsense" };
  const line = ["--quota", "none", "--exclude", "b", "--exclude=c", "--workers", "2"];
  const { quota, exclude, workers } = parse(line, variables);
  assert.equal(quota, null);
  assert.deepEqual(exclude, ["b", "c"]);
  assert.equal(workers, 2);
});

Deno.test("an empty variable counts as unset", () => {
  const { quota } = parse([], { BARGE_QUOTA: "", BARGE_DRY_RUN: "" });
  assert.equal(quota, 5);
});

Deno.test("the message for an invalid variable names it", () => {
  const bad = {
    BARGE_QUOTA: "much",
    BARGE_DRY_RUN: "perhaps",
    BARGE_WORKERS: "0",
    BARGE_NATIVE: "here",
  };
  for (const [name, text] of Object.entries(bad)) {
    const { message } = refusal([], { [name]: text });
    assert(message.includes(name), message);
    assert(message.includes(JSON.stringify(text)), message);
  }
});

Deno.test("short flags can stand together, and -- ends the options", () => {
  const { dryRun, recursive, paths } = parse(["-rn", "a", "--", "-b", "--help"]);
  assert.deepEqual([dryRun, recursive, paths], [true, true, ["a", "-b", "--help"]]);
});

Deno.test("a flag may have a value, which overrides its variable", () => {
  const { dryRun, recursive } = parse(["--dry-run=no", "--recursive=yes"], { BARGE_DRY_RUN: "1" });
  assert.deepEqual([dryRun, recursive], [false, true]);
});

Deno.test("a mistyped option gets a suggestion", () => {
  const error = refusal(["--recursiv"]);
  assert(error.message.includes("--recursiv"));
  assert(error.hint?.includes("did you mean `--recursive`"), error.hint);
});

Deno.test("invalid words are refused, and the message gives the reason", () => {
  const cases: [string[], string][] = [
    [["--no-such"], 'unknown option: "--no-such"'],
    [["-nz"], 'unknown option: "-nz"'],
    [["-é"], 'unknown option: "-é"'],
    [["-n=1"], 'unknown option: "-n=1"'],
    [["--quota"], "`--quota` needs a value: SIZE|none"],
    [["--quota=much"], '`--quota`: "much" is not a size like 500k, 1.5MB or 20GiB, or `none`'],
    [["--dry-run=perhaps"], '`--dry-run`: "perhaps" is not 1, true, yes, on, 0, false, no, off'],
    [["-n", "--dry-run"], "`--dry-run` is given more than once"],
    [["-nn"], "`-n` is given more than once"],
    [["--quota", "1", "--quota", "2"], "`--quota` is given more than once"],
  ];
  for (const [line, message] of cases) assert.equal(refusal(line).message, message);
});

Deno.test("arguments are required, and limited in number", () => {
  const options = { from: argument("SRC", "from"), to: argument("DEST", "to") };
  const copy = { ...command, options, usage: "SRC DEST" };
  assert.deepEqual(parseArgs("cp", copy, ["-", "--", "-x"]), { from: "-", to: "-x" });
  const cases: [string[], RegExp][] = [
    [["a"], /^cp: SRC DEST: too few arguments$/],
    [["a", "b", "c"], /^cp: unexpected argument: "c"$/],
  ];
  for (const [line, message] of cases) {
    assert.throws(() => parseArgs("cp", copy, line), (error) => message.test(String(error)));
  }
});

Deno.test("--help counts only before --", () => {
  assert(asksForHelp(["a", "-h"]));
  assert(asksForHelp(["--help"]));
  assert(!asksForHelp(["a", "--", "--help"]));
});
