/** The configuration file of a server: which source of an option counts, and faults of the file. */
import assert from "node:assert/strict";
import { startServer } from "../../_server.ts";
import { Home, lines } from "../_barge.ts";
import { Runner } from "../_runner.ts";

const noPermissions = Deno.build.os === "windows";

/** Writes a file into a person's home. @returns its path */
function write(home: Home, name: string, text: string): string {
  Deno.writeTextFileSync(`${home.path}/${name}`, text);
  return `${home.path}/${name}`;
}

Deno.test("the command line overrides the environment, and both override the file", async () => {
  await using home = new Home();
  const file = write(
    home,
    "barge.toml",
    `
native = "127.0.0.1:1"
http = "127.0.0.1:0"
ftp = "127.0.0.1:0"
sftp = "off"
metrics = "127.0.0.1:0"
workers = 1
`,
  );
  const args = ["--config", file, "--native", "127.0.0.1:0", "--http=off"];
  await using server = await startServer({ args, env: { BARGE_METRICS: "off" } });
  const { native, http, ftp, sftp, metrics } = server.facts;
  assert.ok(native !== null && !native.endsWith(":1"));
  assert.ok(ftp);
  assert.deepEqual([http, sftp, metrics], [null, null, undefined]);

  const env = { BARGE_CONFIG: file, BARGE_METRICS: "off", BARGE_SFTP: "", BARGE_RATE_UP: "2MB" };
  const line = ["config", "show", "--json", "--native", "127.0.0.1:0"];
  const shown = lines(await home.barge(line, { env }));
  const show = (name: string) => {
    const { value, source, from } = shown.find(({ option }) => option === name);
    return [value, source, from];
  };
  assert.deepEqual(show("native"), ["127.0.0.1:0", "command line", null]);
  assert.deepEqual(show("config"), [file, "environment", "BARGE_CONFIG"]);
  assert.deepEqual(show("metrics"), [null, "environment", "BARGE_METRICS"]);
  assert.deepEqual(show("rate-up"), [2_000_000, "environment", "BARGE_RATE_UP"]);
  assert.deepEqual(show("ftp"), ["127.0.0.1:0", "file", `${file}:4:1`]);
  assert.deepEqual(show("sftp"), [null, "file", `${file}:5:1`]);
  assert.deepEqual(show("workers"), [1, "file", `${file}:7:1`]);
  assert.deepEqual(show("grace"), [30, "default", null]);
});

Deno.test("configuration files without a server", async (t) => {
  await using runner = new Runner();

  await t.step("a flag on the command line overrides the file in both directions", async () => {
    await using home = new Home();
    const file = write(home, "barge.toml", "tls = true\nallow-register = true\n");
    const line = ["config", "show", "--json", "--config", file, "--tls=no"];
    const shown = lines(await runner.at(home).barge(line, { env: { BARGE_ALLOW_REGISTER: "0" } }));
    const value = (name: string) => shown.find(({ option }) => option === name).value;
    assert.deepEqual([value("tls"), value("allow-register")], [false, false]);
  });

  await t.step("an option that overrides another one voids what needs that", async () => {
    await using home = new Home();
    const text =
      'acme = "a.example"\nacme-email = "a@a.example"\nhook-jobs = 2\non-commit = "true"\n';
    const files = [
      "--config",
      write(home, "barge.toml", text),
      "--tls-cert",
      "c",
      "--tls-key",
      "k",
    ];
    const shown = lines(await runner.at(home).barge(["config", "show", "--json", ...files]));
    const value = (name: string) => shown.find(({ option }) => option === name).value;
    assert.deepEqual([value("acme"), value("acme-email"), value("hook-jobs")], [[], null, 2]);
  });

  await t.step("paths in the file belong to its folder, and ~ is the home", async () => {
    await using home = new Home();
    Deno.mkdirSync(`${home.path}/etc`);
    const text = 'data = "../data"\ntls-cert = "~/box.pem"\ntls-key = "/srv/box.key"\n';
    write(home, "etc/barge.toml", text);
    const shown = lines(
      await home.barge(["config", "show", "--json", "--config", "etc/barge.toml"]),
    );
    const value = (name: string) => shown.find(({ option }) => option === name).value;
    assert.deepEqual(
      ["data", "tls-cert", "tls-key"].map(value),
      [`${home.path}/data`, `${home.path}/box.pem`, "/srv/box.key"],
    );
  });

  await t.step(
    "a fault in the file ends serve with 2, and names the line and the column",
    async () => {
      await using home = new Home();
      const cases: [text: string, place: string, message: RegExp][] = [
        ["\nnativ = 1\n", "2:1", /there is no option "nativ"\n\(did you mean native\?\)/],
        [
          "max-connections = 3",
          "1:1",
          /there is no option .*\n\(max-connections stands in the table/,
        ],
        [
          "[limits]\ngrace = 3",
          "2:1",
          /option "grace" in \[limits\]\n\(grace stands above the first/,
        ],
        ["max-conections = 3", "1:1", /\(did you mean max-connections in \[limits\]\?\)/],
        [
          "[limit]\nx = 1\ny = 2",
          "1:2",
          /there is no table \[limit\]\n\(did you mean \[limits\]\?\)$/,
        ],
        ["[[limits]]", "1:3", /limits must be a table\n\(begin it with the line \[limits\]\)/],
        ['workers = "4"', "1:1", /workers is a string, and must be an integer: a whole number/],
        ["http = 8080", "1:1", /http is an integer, and must be a string: HOST:PORT/],
        ['tls = "yes"', "1:1", /tls is a string, and must be true or false$/],
        ["on-commit = 2026-01-01", "1:1", /on-commit is of another type, and must be a string/],
        ['trusted-proxy = ["::1", 3]', "1:1", /is an integer, and must be a string, or an array/],
        ['native = ["127.0.0.1:0"]', "1:1", /native is an array, and must be a string/],
        ["workers = 0", "1:1", /workers: "0" is not a whole number from 1 to 256/],
        ['limits.rate-up = "10"', "1:1", /limits\.rate-up: "10" is not a size of 1KiB or more/],
        [
          '  config = "other.toml"',
          "1:3",
          /"config" can't be set in a file\n\(use --config on the/,
        ],
        ["adopt = true", "1:1", /"adopt" can't be set in a file/],
        [
          'store = "postgres://a:b@c/d"',
          "1:1",
          /may not hold a password\n\(use --store-password-file/,
        ],
        ["workers = 1\nworkers = 2", "2:1", /this is not TOML/],
        ['native = "127.0.0.1', "1:20", /this is not TOML/],
        [
          "a = 1\nb = 2\n",
          "1:1",
          /no option "a"\n\(`barge help serve` lists them; `barge config check \S+\.toml` lists 1 more\)/,
        ],
      ];
      const outcomes = await Promise.all(cases.map(async ([text], i) => {
        const file = write(home, `${i}.toml`, text);
        const place = i === 0 ? home : runner.at(home);
        const [serve, check] = await Promise.all([
          place.barge(["serve", "--data", "d", "--config", file]),
          place.barge(["config", "check", file]),
        ]);
        return { file, serve, check };
      }));
      for (const [i, { file, serve, check }] of outcomes.entries()) {
        const [text, place, message] = cases[i];
        const start = `barge: read configuration ${file}:${place}: `;
        assert.ok(serve.stderr.startsWith(start), `${text}: ${serve.stderr}`);
        assert.match(serve.stderr.trimEnd(), message);
        assert.equal(serve.code, 2);
        assert.ok(check.stdout.startsWith(`${file}:${place}: `), check.stdout);
        assert.equal(check.code, 2);
      }
    },
  );

  await t.step("config check finds options that exclude or need each other", async () => {
    await using home = new Home();
    const cases: [string, RegExp][] = [
      ["tls = true\nplaintext = true\n", /exclude each other/],
      ['native = "0.0.0.0:1"\ntls-cert = "a.pem"\n', /--tls-key is missing: a certificate/],
      ["proxy-protocol = true\n", /--proxy-protocol needs --trusted-proxy/],
      ['store = "postgres://a@b/c"\n', /are given together/],
      ['native = "off"\nhttp = "off"\n', /every door is off/],
      [
        'acme-http = "127.0.0.1:0"\n',
        /--acme-http \(\S+:1:1\) has no effect without --acme \(give/,
      ],
      ['webhook-ca = "ca.pem"\n', /--webhook-ca .* has no effect without --webhook /],
      ["hook-jobs = 2\n", /--hook-jobs .* has no effect without --check-upload or --on-commit /],
      ['cluster-key = "key"\n', /--cluster-key .* has no effect without --store /],
    ];
    const env = { BARGE_ACME_EMAIL: "a@a.example", BARGE_CLUSTER_KEY: "other verbs read it, too" };
    const { code, stderr } = await runner.at(home).barge(["doctor", "--data", "d"], { env });
    assert.equal(code, 2);
    assert.match(stderr, /--acme-email \(BARGE_ACME_EMAIL\) has no effect without --acme\n/);
    const defaults = write(home, "defaults.toml", 'acme-http = "off"\nhook-jobs = 4\n');
    assert.equal((await runner.at(home).barge(["config", "check", defaults])).code, 0);
    for (const [text, message] of cases) {
      const file = write(home, "together.toml", text);
      const { code, stdout, stderr } = await runner.at(home).barge(["config", "check", file]);
      assert.equal(code, 2, text + stderr);
      assert.match(stdout, message);
      assert.match(stdout, /the file is checked alone: `barge doctor --config FILE` takes/);
    }
  });

  await t.step("config check lists every fault of a file, also as JSON", async () => {
    await using home = new Home();
    const file = write(home, "bad.toml", 'workers = 2\nhtpp = "off"\n[limits]\nrate-up = true\n');
    const { code, stdout, stderr } = await runner.at(home).barge(["config", "check", file]);
    assert.equal(code, 2);
    assert.equal(stderr, "");
    const [first, second] = stdout.trimEnd().split("\n");
    assert.equal(first, `${file}:2:1: there is no option "htpp" (did you mean http?)`);
    assert.match(second, /bad\.toml:4:1: limits\.rate-up is true or false, and must be an integer/);
    const json = await runner.at(home).barge(["config", "check", "--json", file]);
    assert.equal(json.code, 2);
    const [{ ok, problems }] = lines(json);
    assert.equal(ok, false);
    assert.deepEqual(problems[0], {
      line: 2,
      column: 1,
      key: "htpp",
      message: 'there is no option "htpp"',
      hint: "did you mean http?",
    });

    const good = write(home, "good.toml", "workers = 2\n[limits]\nrate-up = 10_000_000\n");
    const valid = await runner.at(home).barge(["config", "check", good]);
    assert.deepEqual([valid.code, valid.stdout], [0, ""]);
    assert.equal(valid.stderr, `${good} is valid\n`);
    const missing = await runner.at(home).barge(["config", "check", "none.toml"]);
    assert.equal(missing.code, 7);
    assert.match(missing.stderr, /read configuration none\.toml: no such file/);
  });

  await t.step("config show hides secrets, and shows where they come from", async () => {
    await using home = new Home();
    const key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const env = { BARGE_CLUSTER_KEY: key, BARGE_STORE_PASSWORD: "hush-hush", BARGE_DATA: "/srv/b" };
    for (const json of [[], ["--json"]]) {
      const { code, stdout, stderr } = await runner.at(home).barge(["config", "show", ...json], {
        env,
      });
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stdout + stderr, /hush|AAEC/);
      assert.match(stdout, /BARGE_CLUSTER_KEY/);
      assert.match(stdout, /BARGE_STORE_PASSWORD/);
    }
    const { stdout } = await runner.at(home).barge(["config", "show"], { env });
    assert.match(stdout, /^OPTION +VALUE +SOURCE$/m);
    assert.match(stdout, /^data +\/srv\/b +BARGE_DATA$/m);
    assert.match(stdout, /^cluster-key +\(hidden\) +BARGE_CLUSTER_KEY$/m);
    assert.match(stdout, /^grace +30 +default$/m);
  });

  await t.step("shells complete the verbs of config, and the option for the file", async () => {
    await using home = new Home();
    const complete = async (...words: string[]) =>
      (await runner.at(home).barge(["completion", "bash", ...words])).stdout.split("\n");
    assert.deepEqual(await complete("config", ""), ["check", "show"]);
    assert.deepEqual(await complete("serve", "--conf"), ["--config"]);
    assert.deepEqual(await complete("config", "show", "--conf"), ["--config"]);
  });

  await t.step({
    name: "a file that every user can write is refused",
    ignore: noPermissions,
    async fn() {
      await using home = new Home();
      const file = write(home, "barge.toml", "workers = 1\n");
      Deno.chmodSync(file, 0o646);
      for (const line of [["config", "check", file], ["serve", "--config", file, "--data", "d"]]) {
        const { code, stderr } = await home.barge(line);
        assert.equal(code, 11, stderr);
        assert.match(stderr, /barge\.toml: every user can write the file\n\(chmod o-w /);
      }
    },
  });

  await t.step("--print-unit takes the data directory and the hooks of the file", async () => {
    await using home = new Home();
    const file = write(
      home,
      "barge.toml",
      'data = "/srv/barge"\nnative = "0.0.0.0:990"\ngrace = 7\non-commit = "true /opt/x"\n',
    );
    const line = ["serve", "--print-unit", "--config", "barge.toml", "--workers", "2"];
    const { code, stdout, stderr } = await home.barge(line);
    assert.equal(code, 0, stderr);
    const start = /^ExecStart=(.*)$/m.exec(stdout)?.[1] ?? "";
    assert.ok(start.endsWith(` serve --config ${file} --workers 2`), start);
    assert.match(stdout, /^ReadWritePaths=\/srv\/barge$/m);
    assert.match(stdout, /^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m);
    assert.match(stdout, /^TimeoutStopSec=22$/m);
    assert.match(stdout, /^# The programs of --on-commit/m);
  });
});
