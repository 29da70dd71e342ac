/** `barge serve` in front of a person: its log on a terminal, and what it says of its options. */
import assert from "node:assert/strict";
import { bargeCommand } from "../_program.ts";
import { Home } from "./_barge.ts";

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

Deno.test("on a terminal requests are readable lines, and names can't move its cursor", async () => {
  await using home = new Home();
  const args = [
    "serve",
    "--json",
    "--data",
    "d",
    "--native",
    "127.0.0.1:0",
    "--http",
    "off",
    "--workers",
    "1",
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
  const password = Promise.withResolvers<string>();
  const reading = (async () => {
    for await (const text of server.stderr.pipeThrough(new TextDecoderStream())) {
      shown += text;
      const found = /\n\s+(\S{20,})\r?\n/.exec(shown);
      if (found) password.resolve(found[1]);
    }
    password.reject(new Error(shown));
  })();
  const reader = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { native } = JSON.parse((await reader.read()).value ?? "");
  const env = {
    BARGE_SERVER: `barge://admin@${native}`,
    BARGE_PASSWORD: await password.promise,
  };
  const put = await home.barge(["put", "-", "/home/a\u001b[31m\nb"], { env, stdin: "hello" });
  assert.equal(put.code, 0, put.stderr);
  const wrong = await home.barge(["ls"], { env: { ...env, BARGE_PASSWORD: "wrong" } });
  assert.equal(wrong.code, 11);
  server.kill("SIGTERM");
  await reader.read();
  await reader.cancel();
  await reading;
  assert.equal((await server.status).code, 0, shown);
  const lines = shown.replaceAll("\r\n", "\n").split("\n").filter((line) => /native/.test(line));
  const told = lines.map((line) => line.replace(/[\d.]+ ms/, "N ms"));
  const at = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}`;
  const from = String.raw`127\.0\.0\.1:\d+ native`;
  const find = (text: string) => told.some((line) => new RegExp(`^${at} ${text}$`).test(line));
  const name = String.raw`"/home/a\\u001b\[31m\\nb"`;
  assert.ok(find(`admin ${from} put ${name} 5 bytes N ms ok`), shown);
  assert.ok(find(`admin ${from} proof N ms unauthenticated`), shown);
  assert.ok(!shown.includes("\u001b[31m"));
});

Deno.test("options that make no sense are refused with 2", async () => {
  await using home = new Home();
  const cases = [
    ["--grace", "-1"],
    ["--grace", "soon"],
    ["--log-level", "loud"],
    ["--ready-fd", "1"],
    ["--ready-fd", "77"],
  ];
  for (const args of cases) {
    const { code, stdout, stderr } = await home.barge([
      "serve",
      "--data",
      "d",
      "--http",
      "off",
      ...args,
    ]);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
  }
});
