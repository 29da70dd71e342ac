import assert from "node:assert/strict";
import { BargeError } from "../../core/error.ts";
import {
  addressOrOff,
  args,
  count,
  flag,
  plain,
  sizeOrNone,
  twin,
  value,
  valueOr,
  values,
} from "../../cmd/_term/options.ts";
import { asksForHelp, parseArgs } from "../../cmd/_term/parse.ts";

const command = {
  options: {
    paths: args("PATH", "paths", 0),
    dry: flag(["-n", "--dry-run"], "dry"),
    recursive: flag(["-r", "--recursive"], "recursive"),
    quota: valueOr(["--quota"], sizeOrNone(), 5, "quota"),
    workers: value(["--workers"], count("N"), "workers"),
    native: value(["--native"], addressOrOff(), "native"),
    exclude: values(["--exclude"], plain("GLOB"), "exclude"),
  },
  usage: "PATH...",
  about: "",
  examples: [],
  run: () => Promise.resolve(),
};

/** Parses with variables set; every one of them is gone afterwards. */
async function parse(line: readonly string[], variables: Record<string, string> = {}) {
  for (const [name, text] of Object.entries(variables)) Deno.env.set(name, text);
  try {
    return await parseArgs("verb", command, line);
  } finally {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
  }
}

async function refusal(
  line: readonly string[],
  variables: Record<string, string> = {},
): Promise<BargeError> {
  try {
    await parse(line, variables);
  } catch (error) {
    assert(error instanceof BargeError);
    assert.equal(error.kind, "usage");
    return error;
  }
  throw new assert.AssertionError({ message: `accepted: ${line.join(" ")}` });
}

Deno.test("an option's twin has its long name", () => {
  assert.equal(twin(["-n", "--dry-run"]), "BARGE_DRY_RUN");
  assert.equal(twin(["--server"]), "BARGE_SERVER");
});

Deno.test("without options there are defaults", async () => {
  assert.deepEqual({ ...await parse([]) }, {
    paths: [],
    dry: false,
    recursive: false,
    quota: 5,
    workers: undefined,
    native: undefined,
    exclude: [],
  });
});

Deno.test("the environment sets what the command line does not", async () => {
  const variables = {
    BARGE_DRY_RUN: "yes",
    BARGE_RECURSIVE: "0",
    BARGE_QUOTA: "20GiB",
    BARGE_WORKERS: "3",
    BARGE_NATIVE: "off",
    BARGE_EXCLUDE: "*.o\n/build/",
  };
  const { dry, recursive, quota, workers, native, exclude } = await parse([], variables);
  assert.deepEqual([dry, recursive, quota, workers, native], [
    true,
    false,
    20 * 1024 ** 3,
    3,
    null,
  ]);
  assert.deepEqual(exclude, ["*.o", "/build/"]);
});

Deno.test("the command line counts more than the environment", async () => {
  const variables = { BARGE_QUOTA: "1MB", BARGE_EXCLUDE: "a", BARGE_WORKERS: "nonsense" };
  const line = ["--quota", "none", "--exclude", "b", "--exclude=c", "--workers", "2"];
  const { quota, exclude, workers } = await parse(line, variables);
  assert.equal(quota, null);
  assert.deepEqual(exclude, ["b", "c"]);
  assert.equal(workers, 2);
});

Deno.test("an empty variable is none", async () => {
  const { quota } = await parse([], { BARGE_QUOTA: "", BARGE_DRY_RUN: "" });
  assert.equal(quota, 5);
});

Deno.test("a bad variable is named", async () => {
  const bad = {
    BARGE_QUOTA: "much",
    BARGE_DRY_RUN: "perhaps",
    BARGE_WORKERS: "0",
    BARGE_NATIVE: "here",
  };
  for (const [name, text] of Object.entries(bad)) {
    const { message } = await refusal([], { [name]: text });
    assert(message.includes(name), message);
    assert(message.includes(JSON.stringify(text)), message);
  }
});

Deno.test("short flags can stand together, and -- ends the options", async () => {
  const { dry, recursive, paths } = await parse(["-rn", "a", "--", "-b", "--help"]);
  assert.deepEqual([dry, recursive, paths], [true, true, ["a", "-b", "--help"]]);
});

Deno.test("a wrong option says what was meant", async () => {
  const error = await refusal(["--recursiv"]);
  assert(error.message.includes("--recursiv"));
  assert(error.hint?.includes("did you mean `--recursive`"), error.hint);
});

Deno.test("help is asked for only before --", () => {
  assert(asksForHelp(["a", "-h"]));
  assert(asksForHelp(["--help"]));
  assert(!asksForHelp(["a", "--", "--help"]));
});
