/** SIGHUP: a server reads its configuration file again. */
import assert from "node:assert/strict";
import { Database } from "../../../core/local/database/database.ts";
import { type Server, startServer } from "../../_server.ts";
import { eager, pattern, Peer, sha256, text } from "../../core/door/_peer.ts";
import { pairFor } from "../../core/net/_tls.ts";
import { Home } from "../_barge.ts";

const ignore = Deno.build.os === "windows"; // which has no SIGHUP

/**
 * Reloads the server, and again, so that all that the first reload logs is known.
 *
 * @returns the only line of `barge.serve` from the first reload
 */
async function reload(server: Server): Promise<string> {
  const from = server.stderr().length;
  const first = await nextLine(server, from);
  const second = await nextLine(server, first.end);
  const lines = server.stderr().slice(from, second.end).trimEnd().split("\n");
  const own = lines.filter((line) => line.includes('"logger":"barge.serve"'));
  assert.deepEqual(own, [first.line, second.line]);
  const isChanged = first.line.includes("the settings were reloaded");
  const records = lines.filter((line) => line.includes('"message":"settings-changed '));
  assert.equal(records.length, isChanged ? 1 : 0, "only the audit trail adds a line");
  return first.line;
}

/** The beginnings of the line that reports a reload. */
const beginnings = ["the settings were re", "the former settings stay: "];

/** Reloads the server. @returns the first line that reports it, and its end */
async function nextLine(server: Server, from: number): Promise<{ line: string; end: number }> {
  server.process.kill("SIGHUP");
  for (let at = from;;) {
    await server.said("\n", at);
    const end = server.stderr().indexOf("\n", at) + 1;
    const line = server.stderr().slice(at, end - 1);
    if (beginnings.some((text) => line.includes(text))) return { line, end };
    at = end;
  }
}

/** Asks until an answer is as wanted: a worker applies settings after the log reports them. */
async function until(isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!await isDone()) assert.ok(performance.now() < deadline, "it did not come true");
}

Deno.test({ name: "SIGHUP", ignore }, async (t) => {
  await using home = new Home();
  const file = `${home.path}/barge.toml`;
  const write = (text: string) => Deno.writeTextFileSync(file, text);
  const initial = 'durability = "full"\ngrace = 5\n[limits]\nmax-per-account = 7\n';
  write(initial);
  await using server = await startServer({ args: ["--config", file] });

  await t.step("SIGHUP applies the limits of the file, and cuts no connection", async () => {
    await server.addUser("anna");
    const token = await server.issueToken("anna");
    using peer = await Peer.open(server.address, token);
    using other = await Peer.open(server.address, token);
    const bytes = pattern(300_000);
    await peer.ask({ verb: "put", path: "/home/big", size: bytes.length });
    await peer.send({ offset: 0, body: bytes.length }, bytes.subarray(0, 100_000));

    write(`allow-register = true\n${initial.replace("7", "2")}`);
    const log = await reload(server);
    const { message, properties } = JSON.parse(log);
    assert.equal(
      message,
      "the settings were reloaded: allow-register from false to true, max-per-account from 7 to 2",
    );
    assert.deepEqual(properties.changed, {
      "allow-register": { from: false, to: true },
      "max-per-account": { from: 7, to: 2 },
    });

    await until(async () => {
      using peer = await Peer.connect(server.address);
      return (await peer.ask({ verb: "hello", version: 1 })).register === true;
    });
    using third = await Peer.open(server.address);
    const [, id, secret] = /^barge_([^_]+)_(.+)$/.exec(token)!;
    const answer = await third.prove(id, secret, "token");
    assert.match(JSON.stringify(answer), /too many connections/);
    await other.ask({ verb: "ping" });
    await peer.ask(bytes.subarray(100_000), { sha256: sha256(bytes) });
    write(initial);
    await reload(server);
  });

  await t.step("SIGHUP reports the changes that need a restart, each time", async () => {
    write('durability = "relaxed"\ngrace = 6\nftp = "127.0.0.1:0"\n[limits]\nban-after = 3\n');
    for (
      const changed of [
        "reloaded: ban-after from 9 to 3, max-per-account from 7 to 1024",
        "read again",
      ]
    ) {
      const { level, message } = JSON.parse(await reload(server));
      assert.equal(level, "WARN");
      const restart = "a restart is needed for: ftp, durability, grace";
      assert.equal(message, `the settings were ${changed}; ${restart}`);
    }
    write(initial);
    assert.doesNotMatch(await reload(server), /restart/);
    const { level, message } = JSON.parse(await reload(server));
    assert.equal(level, "INFO");
    assert.equal(message, "the settings were read again, and have not changed");
  });

  await t.step("a file with a fault changes nothing, and the log names the place", async () => {
    write(`${initial.replace("7", "6")}ban-aftr = 3\n`);
    const log = await reload(server);
    assert.match(log, /"level":"ERROR".*the former settings stay/);
    assert.ok(log.includes(`${file}:5:1: there is no option \\"ban-aftr\\"`), log);
    assert.match(log, /did you mean ban-after\?/);
    assert.doesNotMatch(log, /settings were reloaded/);
    Deno.removeSync(file);
    assert.match(await reload(server), /former settings stay.*no such file/);
    write(initial.replace("7", "5"));
    const mended = await reload(server);
    assert.match(mended, /reloaded: max-per-account from 7 to 5"/);
  });
});

Deno.test({ name: "SIGHUP changes the log level of all workers", ignore }, async () => {
  await using home = new Home();
  const file = `${home.path}/barge.toml`;
  const write = (level: string) =>
    Deno.writeTextFileSync(file, `workers = 1\nlog-level = "${level}"\n`);
  write("warn");
  await using server = await startServer({ args: ["--config", file] });
  await server.addUser("anna");
  using peer = await Peer.open(server.address, await server.issueToken("anna"));
  await peer.ask(eager("/home/a", text("a")));
  write("info");
  await reload(server);
  let files = 0;
  await until(async () => {
    await peer.ask(eager(`/home/b${files++}`, text("b")));
    return server.stderr().includes('"/home/b');
  });
  assert.doesNotMatch(server.stderr(), /"\/home\/a"/);
});

Deno.test({ name: "SIGHUP changes the audit trail and the verification", ignore }, async () => {
  await using home = new Home();
  const file = `${home.path}/barge.toml`;
  const write = (text: string) => Deno.writeTextFileSync(file, `workers = 1\n${text}`);
  write("");
  await using server = await startServer({ args: ["--config", file] });
  await server.addUser("anna");
  using peer = await Peer.open(server.address, await server.issueToken("anna"));
  await peer.ask(eager("/home/a", text("a")));
  write('audit = "files"\nverify-every = "1d"\nverify-rate = "1MB"\n');
  const { message, properties } = JSON.parse(await reload(server));
  assert.equal(
    message,
    "the settings were reloaded: audit from accounts to files, verify-every from off to 1d, " +
      "verify-rate from 20 MB to 1MB",
    "as `config show` prints the values",
  );
  assert.deepEqual(properties.changed["verify-every"], { from: null, to: 86_400_000 });
  await server.said("all files were verified: ");
  let files = 0;
  const db = new Database(server.data);
  await until(async () => {
    await peer.ask(eager(`/home/b${files++}`, text("b")));
    return db.value("SELECT 1 FROM audit WHERE event = 'commit'") === 1;
  });
  db[Symbol.dispose]();
  write('verify-rate = "2MB"\n');
  assert.match(await reload(server), /verify-every from 1d to off/);
});

Deno.test(
  { name: "SIGHUP takes the certificate of other files that the file names", ignore },
  async () => {
    await using home = new Home();
    const file = `${home.path}/barge.toml`;
    const marks = await Promise.all(["one", "two"].map(async (name) => {
      const { cert, key, mark } = await pairFor();
      Deno.writeTextFileSync(`${home.path}/${name}.pem`, cert);
      Deno.writeTextFileSync(`${home.path}/${name}.key`, key);
      return mark;
    }));
    const named = (name: string) => `tls-cert = "${name}.pem"\ntls-key = "${name}.key"\n`;
    const write = (text: string) =>
      Deno.writeTextFileSync(file, `tls = true\nworkers = 1\n${text}`);
    write(named("one"));
    await using server = await startServer({ args: ["--config", file] });
    assert.equal(server.facts.fingerprint, marks[0]);
    write(named("two"));
    const log = await reload(server);
    assert.ok(log.includes(`; the certificate was reloaded: ${marks[1]}, until `), log);
    assert.match(log, /tls-cert from \S+one\.pem to \S+two\.pem/);
    const chained = `${home.path}/two.pem`;
    Deno.writeTextFileSync(chained, (await pairFor()).cert, { append: true });
    const other = "; the certificate is the same, with other intermediate certificates, until ";
    const withChain = await reload(server);
    assert.ok(withChain.includes(other), withChain);
    Deno.writeTextFileSync(chained, "\n# the end\n", { append: true });
    assert.match(await reload(server), /; the certificate is the same, until /);
    write("");
    const without = await reload(server);
    assert.match(
      without,
      /"WARN".*a restart is needed for: tls-cert, tls-key; the certificate is the same, until /,
    );
    write(named("none"));
    const missing = await reload(server);
    assert.match(
      missing,
      /"ERROR".*reloaded: tls-cert from .*; the old certificate stays: .*none\.pem/,
    );
  },
);
