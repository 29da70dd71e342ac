import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import type { Tree } from "../../cmd/_term/command.ts";
import { tree } from "../../main.ts";
import { executable } from "../_program.ts";
import { startServer } from "../_server.ts";
import { Home } from "./_barge.ts";
import { saveLogin } from "./_logged_in.ts";
import { Runner } from "./_runner.ts";

Deno.test("--version prints the version and the commit", async () => {
  await using home = new Home();
  const version = config.version.replaceAll(".", "\\.");
  const commit = executable ? "[0-9a-f]{12}(-dirty)?|commit unknown" : "checkout";
  const line = new RegExp(`^barge ${version} \\((${commit})\\)\n$`);
  let name: string | undefined;
  for (const word of ["--version", "-V"]) {
    const { code, stdout, stderr } = await home.barge([word]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, line);
    [, name] = line.exec(stdout)!;
  }
  const facts = { version: config.version, commit: executable ? name : null };
  const json = `${JSON.stringify(facts)}\n`;
  assert.equal((await home.barge(["--version", "--json"])).stdout, json);
  assert.equal((await home.barge(["version"], { env: { BARGE_JSON: "1" } })).stdout, json);
});

Deno.test("help lists every verb, on standard output", async () => {
  await using home = new Home();
  const { code, stdout, stderr } = await home.barge(["--help"]);
  assert.deepEqual([code, stderr], [0, ""]);
  for (const verb of Object.keys(tree)) assert.match(stdout, new RegExp(`^  ${verb} `, "m"));
  assert.equal((await home.barge(["help"])).stdout, stdout);
  const bare = await home.barge([]);
  assert.deepEqual([bare.code, bare.stdout], [2, stdout]);
});

/** The words of every verb. */
function namesOf(tree: Tree): string[][] {
  return Object.entries(tree).flatMap(([name, row]) => [
    ...("load" in row ? [[name]] : []),
    ...("verbs" in row ? namesOf(row.verbs).map((words) => [name, ...words]) : []),
  ]);
}

Deno.test("command lines, help and completion", async (t) => {
  await using runner = new Runner();

  await t.step("every verb has help with an example and its options' variables", async () => {
    await using home = new Home();
    const place = runner.at(home);
    for (const words of namesOf(tree)) {
      const name = words.join(" ");
      const { code, stdout, stderr } = await place.barge(["help", ...words]);
      assert.deepEqual([code, stderr], [0, ""], name);
      assert.match(stdout, new RegExp(`^Usage: barge ${name} `, "m"), name);
      assert.match(stdout, /^Examples:$/m, name);
      if (name !== "completion") assert.match(stdout, /--json .*\n? *\[BARGE_JSON\]/, name);
    }
    const [put, viaOption] = await Promise.all([
      home.barge(["help", "put"]),
      place.barge(["put", "--server", "x", "--help"]),
    ]);
    assert.equal(viaOption.stdout, put.stdout);
  });

  await t.step("an invalid command line ends with 2 and a suggestion", async () => {
    await using home = new Home();
    const place = runner.at(home);
    const cases: [string[], RegExp][] = [
      [["putt"], /^barge: putt: there is no such verb\n\(did you mean `barge put`/],
      [
        ["user", "ad"],
        /^barge: user ad: there is no such verb\n\(did you mean `barge user add`\?\)/,
      ],
      [["quota", "lst"], /did you mean `barge quota list`/],
      [["user"], /^$/],
      [["--json", "ls"], /options come after the verb/],
      [["put", "--recursiv", "a", "/home/"], /--recursiv"\n\(did you mean `--recursive`/],
      [["put", "--hlep"], /--hlep"\n\(did you mean `--help`\?\)/],
      [["--hlep"], /options come after the verb\n\(did you mean `barge --help`\?\)/],
      [["serve", "--hlep"], /did you mean `--help`/],
      [["ls", "--delete"], /--delete"\n\(`barge ls --help` lists the options\)/],
      [["status", "--data", "d"], /--data"\n\(`barge status --help` lists the options\)/],
      [["status", "barge://a@b"], /argument: "barge:\/\/a@b"\n\(use --server barge:\/\/a@b\)/],
      [["quota", "a@b:7171"], /no such verb\n\(use `barge quota --server a@b:7171`\)/],
      [["user", "set", "a", "--quota", "5GB"], /\(use `barge quota set NAME SIZE`\)/],
      [
        ["login", "--password", "x"],
        /\(did you mean `--password-(stdin|file)` or `--password-(stdin|file)`\?\)/,
      ],
      [["bench", "tpc"], /\(did you mean `barge bench tcp`\?\)/],
      [["put", "a"], /^barge: put: SRC... DEST: too few arguments/],
      [["put", "-xyz", "/home/"], /names that begin with a dash go behind --/],
      [["rm", "--draft.txt"], /names that begin with a dash go behind --/],
      [["ls", "--timeout", "soon"], /"soon" is not a whole number/],
      [["ls"], /no server is named\n\(use --server/],
      [["login", "barge://a:b@host"], /a password does not belong/],
      [["user", "add", "a", "--data", "d"], /a password is needed\n\(use .*--generate\)/],
      [["user", "add", "a/b", "--generate", "--data", "d"], /can't be an account's name/],
      [["help", "nothing"], /there is no such verb/],
    ];
    const outcomes = await Promise.all(
      cases.map(([line], i) => (i === 0 ? home : place).barge(line)),
    );
    for (const [i, { code, stderr }] of outcomes.entries()) {
      assert.equal(code, 2, cases[i][0].join(" "));
      assert.match(stderr, cases[i][1]);
      assert.doesNotMatch(stderr, /\n +at /); // no stack trace
    }
  });

  await t.step("completion prints a script, and suggests verbs and options", async () => {
    await using home = new Home();
    const place = runner.at(home);
    for (const shell of ["bash", "zsh", "fish", "pwsh", "nu"]) {
      const { code, stdout } = await (shell === "bash" ? home : place).barge(["completion", shell]);
      assert.equal(code, 0);
      assert.match(stdout, /barge/);
    }
    const suggest = async (...words: string[]) => {
      const { code, stdout } = await place.barge(["completion", "bash", ...words]);
      assert.equal(code, 0);
      return stdout.split("\n").filter(Boolean);
    };
    assert.deepEqual(await suggest("pu"), ["put"]);
    assert.deepEqual(await suggest("user", "a"), ["add", "apply"]);
    assert((await suggest("put", "--dr")).includes("--dry-run"));
    assert.deepEqual(await suggest("nothing", "x"), []);
    assert.deepEqual(await suggest("--"), []); // two dashes are a word like others
    assert.deepEqual(await suggest("hel"), ["help"]);
    assert.deepEqual(await suggest("help", "user", "a"), ["add", "apply"]);
    assert.deepEqual(await suggest("user", "add", "--role=u"), ["--role=user"]);
    assert.deepEqual(await suggest("user", "add", "x", "--role", ""), ["user", "admin"]);
    assert.deepEqual(await suggest("put", "-r", "-"), [
      "-L",
      "-r",
      "-u",
      "-c",
      "-0",
      "-j",
      "-n",
      "-q",
    ]);
    assert.deepEqual(await suggest("put", "--exclude", ""), []);
    assert.match((await suggest("put", "some")).join(), /^__FILE__:any:/);
    assert.match((await suggest("put", "--password-file=x")).join(), /^__FILE__:any:.*x/);
  });
});

Deno.test("a server that the argument and --server name differently is refused, with both", async () => {
  await using home = new Home();
  await using runner = new Runner();
  const [one, other] = ["barge://anna@127.0.0.1:1", "barge://anna@127.0.0.1:2"];
  const env = { BARGE_PASSWORD: "anna-secret" };
  for (const verb of ["register", "login", "logout", "ping", "shell"]) {
    const run = (server: string, variables = {}) =>
      runner.at(home).barge([verb, one, "--server", server], { env: { ...env, ...variables } });
    const { code, stderr } = await run(other);
    assert.equal(code, 2, `${verb}: ${stderr}`);
    const why = `the argument names ${one}, and --server ${other}\n(give one of them)\n`;
    assert.ok(stderr.endsWith(why), `${verb}: ${stderr}`);
    // The same server twice, or another one in a variable, is no contradiction.
    const line = [verb, one];
    const same = await run(one);
    assert.notEqual(same.code, 2, `${verb}: ${same.stderr}`);
    const variable = await runner.at(home).barge(line, { env: { ...env, BARGE_SERVER: other } });
    assert.ok(!variable.stderr.includes("--server"), `${verb}: ${variable.stderr}`);
  }
});

const noFull = await Deno.stat("/dev/full").then(() => false, () => true);

Deno.test(
  { name: "a failure to write standard output is reported, with an exit code", ignore: noFull },
  async () => {
    await using server = await startServer();
    await server.addUser("anna");
    await using home = new Home();
    await saveLogin(home, server, "anna");
    const env = { BARGE_SERVER: `barge://anna@${server.address}` };
    await Deno.writeTextFile(`${home.path}/f`, "f");
    const lines = [
      ...[["--version"], ["help"], ["help", "put"], ["completion", "bash"], ["licenses"]],
      ...[["ls", "/"], ["ls", "--json", "/"], ["quota"], ["stat", "/home"], ["status", "--json"]],
      ...[["put", "--json", "f", "/home/"], ["put", "-n", "f", "/home/"], ["get", "/home/f", "-"]],
      ...[["user", "list", "--data", server.data], ["verify", "--json", "--data", server.data]],
    ];
    for (const line of lines) {
      const { code, stderr } = await home.barge(line, {
        env,
        under: ["sh", "-c", 'exec "$@" >/dev/full', "sh"],
      });
      const printed = line[0] !== "status"; // whoever is no admin is refused before
      assert.equal(code, printed ? 5 : 11, `${line.join(" ")}: ${stderr}`);
      if (printed) assert.match(stderr, /^barge: write standard output: no space left on device$/m);
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(stderr, /\n +at |\x1b/, line.join(" "));
    }
  },
);

Deno.test("--debug shows where a failure came from", async () => {
  await using home = new Home();
  const { code, stderr } = await home.barge(["user", "list", "--data", "none", "--debug"]);
  assert.equal(code, 4);
  assert.match(stderr, /\n +at /);
});

Deno.test("a bad variable is a usage error that names it", async () => {
  await using home = new Home();
  const { code, stderr } = await home.barge(["ls"], { env: { BARGE_JSON: "perhaps" } });
  assert.equal(code, 2);
  assert.match(stderr, /^barge: ls: BARGE_JSON: "perhaps" is not /);
});

const noZsh = await new Deno.Command("zsh", { args: ["-c", "true"] }).output()
  .then(() => false, () => true);

Deno.test({ name: "zsh offers all that completion suggests", ignore: noZsh }, async () => {
  await using home = new Home();
  const at = (name: string) => `${home.path}/${name}`;
  const answer = await home.barge(["completion", "zsh", "user", "a"]);
  await Deno.writeTextFile(at("answer"), answer.stdout);
  await Deno.writeTextFile(at("script"), (await home.barge(["completion", "zsh"])).stdout);
  // Runs zsh on a pseudo-terminal, and reads the suggestions from a file.
  const lines = [
    "zmodload zsh/zpty",
    "zpty z zsh -f -i",
    `zpty -w z 'autoload -U compinit; compinit -u -D; barge() { cat ${at("answer")} }'`,
    `zpty -w z 'source ${at("script")}; compdef _barge barge; print ready-$((40+2))'`,
    "zpty -r -m z line '*ready-42*'",
    "zpty -w -n z $'barge user a\\t'",
    "zpty -r -m z line '*declares*'",
    "print -r -- $line",
  ];
  const { success, stdout } = await new Deno.Command("zsh", {
    args: ["-f", "-c", lines.join("\n")],
    env: { TERM: "xterm", COLUMNS: "120", HOME: home.path },
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert(success, text);
  assert.match(text, /add +-- make an account/);
  assert.match(text, /apply +-- make the accounts that a file declares/);
});

Deno.test("licenses are printed", async () => {
  await using home = new Home();
  const { code, stdout } = await home.barge(["licenses"]);
  assert.equal(code, 0);
  assert.match(stdout, /barge .*MIT/);
});
