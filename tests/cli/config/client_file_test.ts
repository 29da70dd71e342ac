/** The configuration file of the client: a default server, and options for each verb. */
import assert from "node:assert/strict";
import { startServer } from "../../_server.ts";
import { Home, lines } from "../_barge.ts";
import { loggedIn, logInto } from "../_logged_in.ts";
import { Runner } from "../_runner.ts";

const env = { BARGE_PASSWORD: "anna-secret" };

/** Writes the client's file. @returns its path */
function configure(home: Home, text: string, folder = ".config"): string {
  const path = `${home.path}/${folder}/barge/config.toml`;
  Deno.mkdirSync(`${home.path}/${folder}/barge`, { recursive: true });
  Deno.writeTextFileSync(path, text);
  return path;
}

Deno.test("the options of the file at a server", async (t) => {
  await using server = await startServer();
  await using runner = new Runner();

  await t.step("the file names a default server, which overrides the last login", async () => {
    await using last = await loggedIn();
    await server.addUser("carla", { password: env.BARGE_PASSWORD });
    const { home } = last;
    configure(home, `server = "barge://carla@${server.address}"\n`);
    const address = async (args: string[], variables = {}) => {
      const outcome = await runner.at(home).barge(["ping", "--json", ...args], { env: variables });
      assert.equal(outcome.code, 0, outcome.stderr);
      return lines(outcome)[0].server;
    };
    const [own, other] = [`barge://${server.address}`, `barge://${last.server.address}`];
    assert.equal(await address([]), own);
    assert.equal(await address([], { BARGE_SERVER: last.remote }), other);
    assert.equal(await address(["--server", other], { BARGE_SERVER: own }), other);
    assert.equal(await address([other]), other);
    assert.equal((await home.barge(["ls", "/"], { env })).code, 0);
  });

  await t.step("a table of the file sets the options of its verb alone", async () => {
    await using session = await logInto(server, "anna");
    const { home } = session;
    const place = runner.at(home);
    Deno.mkdirSync(`${home.path}/photos/build`, { recursive: true });
    for (const name of ["a.jpg", "a.tmp", "build/x"]) {
      Deno.writeTextFileSync(`${home.path}/photos/${name}`, name);
    }
    const file = configure(
      home,
      `timeout = 20

[put]
recursive = true
quiet = true
exclude = ["*.tmp", "/build/"]

[ls]
json = true
timeout = 30
`,
    );
    const put = await home.barge(["put", "photos", "/home/"]);
    assert.deepEqual([put.code, put.stderr], [0, ""]);
    const names = Array.from(Deno.readDirSync(`${server.data}/homes/anna/photos`), (e) => e.name);
    assert.deepEqual(names, ["a.jpg"]);
    assert.equal(lines(await place.barge(["ls", "/home/photos"]))[0].name, "a.jpg");
    assert.equal((await home.barge(["ls", "--json=no", "/home/photos"])).stdout, "a.jpg\n");

    const show = async (verb: string, name: string, variables = {}) => {
      const line = ["config", "show", "--json", verb];
      const outcome = await place.barge(line, { env: variables });
      assert.equal(outcome.code, 0, outcome.stderr);
      const { value, source, from } = lines(outcome).find(({ option }) => option === name);
      return [value, source, from];
    };
    assert.deepEqual(await show("put", "timeout"), [20, "file", `${file}:1:1`]);
    assert.deepEqual(await show("ls", "timeout"), [30, "file", `${file}:10:1`]);
    const both = await show("put", "timeout", { BARGE_TIMEOUT: "5" });
    assert.deepEqual(both, [5, "environment", "BARGE_TIMEOUT"]);
    assert.deepEqual(await show("put", "exclude"), [["*.tmp", "/build/"], "file", `${file}:6:1`]);
    assert.deepEqual(await show("get", "recursive"), [false, "default", null]);
  });

  await t.step(
    "an option of the command line overrides one of the file that it excludes",
    async () => {
      await using session = await logInto(server, "bella");
      const { home } = session;
      configure(
        home,
        `tls = true
password-file = "none"

[find]
format = "F {name}"

[get]
no-verify = true

[rm]
exclude = ["*.keep"]
recursive = true
`,
      );
      Deno.writeTextFileSync(`${home.path}/f`, "f");
      const stdin = { stdin: `${await server.issueToken("bella")}\n` };
      const run = (...args: string[]) =>
        home.barge([...args, "--plaintext", "--password-stdin"], stdin);
      assert.deepEqual(await run("put", "-q", "f", "/home/"), { code: 0, stdout: "", stderr: "" });
      assert.equal((await run("find")).stdout, "F f\n");
      assert.equal((await run("find", "-print0")).stdout, "/home/f\0");
      assert.equal(lines(await run("find", "--json"))[0].path, "/home/f");
      assert.equal((await run("find", "--json", "-print0")).code, 2);
      assert.equal((await run("get", "--require-digest", "/home/f", "back")).code, 0);
      assert.equal((await run("rm", "--partial", "/home/f")).code, 4);
      assert.equal((await run("rm", "--partial", "-r", "/home/f")).code, 2);
      const place = runner.at(home);
      const both = await place.barge(["ls", "--tls", "--plaintext"]);
      assert.deepEqual([both.code, both.stderr.includes("exclude each other")], [2, true]);
      const off = await place.barge(["config", "show", "ls", "--json"], {
        env: { BARGE_PLAINTEXT: "no" },
      });
      assert.equal(lines(off).find(({ option }) => option === "tls").value, true);
    },
  );
});

Deno.test("config show hides the password of the client", async () => {
  await using home = new Home();
  const { code, stdout, stderr } = await home.barge(["config", "show", "ls"], { env });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^BARGE_PASSWORD +\(hidden\) +BARGE_PASSWORD$/m);
  assert.doesNotMatch(stdout, /anna-secret/);
});

Deno.test("XDG_CONFIG_HOME is the folder of the file", async () => {
  await using home = new Home();
  configure(home, "timeout = 20\n");
  const file = configure(home, "timeout = 21\n", "xdg");
  const line = ["config", "show", "--json", "get"];
  const shown = lines(await home.barge(line, { env: { XDG_CONFIG_HOME: `${home.path}/xdg` } }));
  const { value, from } = shown.find(({ option }) => option === "timeout");
  assert.deepEqual([value, from], [21, `${file}:1:1`]);
});

Deno.test("the file of the client, without a server", async (t) => {
  await using runner = new Runner();

  await t.step("a fault in the file ends the client's verbs with 2, and no others", async () => {
    await using home = new Home();
    const cases: [text: string, place: string, message: RegExp][] = [
      ["srever = 'x'", "1:1", /there is no option "srever"\n\(did you mean server\?\)/],
      ["[ls]\nrecursiv = true", "2:1", /option "recursiv" in \[ls\]\n\(did you mean recursive\?\)/],
      ["[ptu]\nquiet = true", "1:2", /there is no table \[ptu\]\n\(did you mean \[put\]\?\)/],
      ["ls = true", "1:1", /ls must be a table\n\(begin it with the line \[ls\]\)/],
      ["timeout = '5'", "1:1", /timeout is a string, and must be an integer: a whole number/],
      ["[ls]\nserver = 3", "2:1", /ls\.server is an integer, and must be a string/],
      ["recursive = true", "1:1", /recursive stands in the table \[ls\]/],
      [
        "[ls]\nnope = 1\nmore = 2",
        "2:1",
        /\(`barge help ls` lists them(\)|; `barge config check --client` lists 1 more\)$)/,
      ],
      ["[ls]\ndebug = true", "2:1", /"debug" can't be set in a file/],
    ];
    for (const [text, place, message] of cases) {
      const file = configure(home, text);
      const { code, stderr } = await runner.at(home).barge(["ls", "/"]);
      assert.equal(code, 2, stderr);
      assert.ok(stderr.startsWith(`barge: read configuration ${file}:${place}: `), stderr);
      assert.match(stderr.trimEnd(), message);
      const check = await runner.at(home).barge(["config", "check", "--client"]);
      assert.equal(check.code, 2, check.stderr);
      assert.ok(check.stdout.startsWith(`${file}:${place}: `), check.stdout);
    }
    const { code, stderr } = await home.barge(["completion", "bash"]);
    assert.equal(code, 0, stderr);
  });

  await t.step("the file is checked with the options of all verbs", async () => {
    await using home = new Home();
    const file = configure(home, "[ls]\nlong = true\n[get]\nlong = true\n[serve]\ndata = 'x'\n");
    const { code, stdout } = await runner.at(home).barge(["config", "check", "--client"]);
    assert.equal(code, 2);
    assert.match(stdout, /config\.toml:4:1: there is no option "long" in \[get\]/);
    assert.match(stdout, /config\.toml:5:2: there is no table \[serve\]/);
    configure(home, "server = 'barge://anna@box'\n[ls]\nlong = true\n");
    const valid = await home.barge(["config", "check", "--client", file]);
    assert.deepEqual([valid.code, valid.stderr], [0, `${file} is valid\n`]);
  });

  await t.step(
    "numbers of --max-delete and --limit-rate need no quotes; faults name their tables",
    async () => {
      await using home = new Home();
      const place = runner.at(home);
      const file = configure(home, "[put]\nmax-delete = 10\nlimit-rate = 2000000\n");
      assert.equal((await place.barge(["config", "check", "--client"])).code, 0);
      const shown = lines(await place.barge(["config", "show", "put", "--json"]));
      const valueOf = (name: string) => shown.find(({ option }) => option === name).value;
      assert.deepEqual([valueOf("max-delete"), valueOf("limit-rate")], ["10", "2000000"]);
      const faults = [
        ["put.x.y = 1", /:1:1: there is no table \[put\.x\] /],
        ["json = true", /\(json stands in tables such as \[\w+\]\)/],
        ['server = "x y"', /server: "x y" is not a server's address/],
        [
          "[put]\nexclude = [1]",
          /put\.exclude is an integer, and must be a string, or an array of these$/m,
        ],
      ] as const;
      for (const [text, message] of faults) {
        Deno.writeTextFileSync(file, text);
        const { code, stdout } = await place.barge(["config", "check", "--client"]);
        assert.equal(code, 2, text);
        assert.match(stdout, message);
      }
    },
  );
});
