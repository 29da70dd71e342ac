/** `barge serve` in front of a person: its log on a terminal, and what it says of its options. */
import assert from "node:assert/strict";
import { bargeCommand } from "../_program.ts";
import { Home } from "./_barge.ts";
import { Runner } from "./_runner.ts";

/** Runs a command line of barge with a terminal as its standard error; what that shows comes back. */
const onTerminal = `
import os, pty, signal, subprocess, sys
master, slave = pty.openpty()
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=sys.stdout, stderr=slave)
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
os.close(slave)
while True:
    try:
        data = os.read(master, 65536)
    except OSError:
        break
    if not data:
        break
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()
sys.exit(child.wait())
`;

/** Returns a text of the first start with the same password, folder, ports and workers for every server. */
function withoutFacts(text: string): string {
  return text.replaceAll("\r\n", "\n")
    .replace(/^\s+\S{5}-\S{5}-\S{5}-\S{5}$/m, "PASSWORD")
    .replace(/^barge serves \S+ with \d+ workers?$/m, "barge serves DATA")
    .replace(/^ {2}ftps {4}ftps:.*\n {2}its certificate is SHA256:\S{43}\n/m, "")
    .replace(/^ {2}the directory is new; (a server runs|servers run) on .*\n/m, "")
    .replaceAll(/(127\.0\.0\.1:)\d+/g, "$1PORT");
}

Deno.test("on a terminal the first start is as README shows it, requests are readable lines, and names can't move its cursor", async () => {
  await using home = new Home();
  const args = [
    ...["serve", "--data", "d", "--native", "127.0.0.1:0", "--http", "127.0.0.1:0"],
    // Its record is one that does not wait in the log's buffer.
    ...["--workers", "1", "--verify-every", "7d"],
    // This door has a certificate, whose line is below the addresses.
    ...["--ftps", "127.0.0.1:0"],
  ];
  let server: Deno.ChildProcess;
  try {
    server = new Deno.Command("python3", {
      args: ["-c", onTerminal, ...bargeCommand(args)],
      cwd: home.path,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    new Deno.Command("printf", { args: ["skipped: python3 is not here\n"] }).outputSync();
    return;
  }
  let shown = "";
  const ready = Promise.withResolvers<RegExpExecArray>();
  const reading = (async () => {
    for await (const text of server.stderr.pipeThrough(new TextDecoderStream())) {
      shown += text;
      const found = /\n\s+(\S{20,})\r?\n[^]*try: barge login (\S+)\r?\n/.exec(shown);
      if (found) ready.resolve(found);
    }
    ready.reject(new Error(shown));
  })();
  const [, password, remote] = await ready.promise;
  const env = { BARGE_SERVER: remote, BARGE_PASSWORD: password };
  const put = await home.barge(["put", "-", "/home/a\u001b[31m\nb"], { env, stdin: "hello" });
  assert.equal(put.code, 0, put.stderr);
  const wrong = await home.barge(["ls"], { env: { ...env, BARGE_PASSWORD: "wrong" } });
  assert.equal(wrong.code, 11);
  server.kill("SIGTERM");
  await server.stdout.cancel();
  await reading;
  assert.equal((await server.status).code, 0, shown);
  const readme = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
  const [, example] = /^ {4}\$ barge serve\n([^]*?try: .*\n)/m.exec(readme)!;
  const expected = withoutFacts(example.replaceAll(/^ {4}/gm, ""));
  assert.equal(withoutFacts(shown).slice(0, expected.length), expected, shown);
  for (const record of [/account-added of admin/, /server-started/, /verification .* begins/]) {
    assert.match(shown, record);
  }
  const lines = shown.replaceAll("\r\n", "\n").split("\n").filter((line) => /native/.test(line));
  const told = lines.map((line) => line.replace(/[\d.]+ ms/, "N ms"));
  const at = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
  const from = String.raw`127\.0\.0\.1:\d+ native`;
  const find = (text: string) => told.some((line) => new RegExp(`^${at} ${text}$`).test(line));
  const name = String.raw`"/home/a\\u001b\[31m\\nb"`;
  assert.ok(find(`admin ${from} put ${name} 5 bytes N ms ok`), shown);
  assert.ok(find(`admin ${from} proof N ms unauthenticated`), shown);
  assert.ok(!shown.includes("\u001b[31m"));
});

Deno.test("options that make no sense, or name files that can't be read, are refused by their names", async (t) => {
  await using home = new Home();
  await using runner = new Runner();
  const refused = async (code: number, expected: RegExp, ...options: string[]) => {
    const args = ["serve", "--data", "d", "--http", "off", ...options];
    const outcome = await runner.at(home).barge(args);
    assert.equal(outcome.code, code, outcome.stderr);
    assert.match(outcome.stderr, expected);
    assert.equal(outcome.stdout, "");
  };

  await t.step("options that make no sense are refused with 2", async () => {
    const cases = [
      ["--grace", "-1"],
      ["--grace", "soon"],
      ["--log-level", "loud"],
      ["--ready-fd", "1"],
      ["--ready-fd", "77"],
    ];
    for (const args of cases) await refused(2, new RegExp(args[0]), ...args);
    await refused(2, /127\.0\.0\.1:7171, or `off`$/m, "--ftp", "2121x");
    await refused(2, /, or unix:\/PATH, or `off`$/m, "--native", "7171x");
    const alone = [
      ["--acme-http", "127.0.0.1:0", "--acme"],
      ["--acme-email", "a@a.example", "--acme"],
      ["--webhook-secret-file", "secret", "--webhook"],
      ["--event-days", "2", "--on-commit or --webhook"],
      ["--store-password-file", "pw", "--store"],
    ];
    for (const [option, value, partner] of alone) {
      const expected = `barge: serve: ${option} has no effect without ${partner}\n`;
      await refused(2, new RegExp(`^${expected}`, "m"), option, value);
    }
  });

  await t.step("a file that can't be read is reported with its option", async () => {
    const webhook = ["--webhook", "https://ci.example/"];
    await Deno.writeTextFile(`${home.path}/secret`, `whsec_${new Uint8Array(32).toBase64()}`);
    const acme = ["--acme", "box.example"];
    const store = ["--store", "postgres://barge@db/files", "--bucket", "s3+https://s3.example/b"];
    const cases: [number, string, string[]][] = [
      [4, "--webhook-secret-file", webhook],
      [7, "--webhook-ca", [...webhook, "--webhook-secret-file", "secret"]],
      [7, "--acme-ca", acme],
      [7, "--acme-eab-key-file", [...acme, "--acme-eab-kid", "kid-1"]],
      [7, "--proxy-cert", []],
      [7, "--store-ca", store],
      [4, "--store-password-file", store],
      [4, "--bucket-keys-file", store],
    ];
    for (const [code, option, others] of cases) {
      const expected = new RegExp(`^barge: ${option} none: no such file or directory$`, "m");
      await refused(code, expected, ...others, option, "none");
    }
    assert.throws(() => Deno.statSync(`${home.path}/d`), Deno.errors.NotFound);
  });
});

/** The lowest port that needs no privilege. */
const firstFreePort = Deno.build.os === "linux"
  ? Number(Deno.readTextFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start"))
  : 0;

Deno.test({
  name:
    "a port below 1024 without the right to it is reported with that right, and no account is made",
  ignore: firstFreePort < 1024,
  async fn() {
    await using home = new Home();
    const under = Deno.uid() === 0 ? ["setpriv", "--bounding-set", "-net_bind_service"] : [];
    const args = ["serve", "--data", "d", "--native", "127.0.0.1:1000", "--http", "off"];
    const { code, stderr } = await home.barge(args, { under });
    assert.equal(code, 11, stderr);
    assert.match(stderr, /listen on 127\.0\.0\.1:1000: permission denied/);
    assert.match(
      stderr,
      /^\(--native is .*: ports below 1024 need root, or CAP_NET_BIND_SERVICE\)$/m,
    );
    assert.throws(() => Deno.statSync(`${home.path}/d/admin-password`), Deno.errors.NotFound);
  },
});
