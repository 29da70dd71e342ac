/** The log: one record for each failure, with its cause, and no forged records. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { LogRecord } from "@logtape/logtape";
import { formatter } from "../../../core/serve/log.ts";
import { startServer } from "../../_server.ts";
import { assertUp, eager, Peer, text } from "../door/_peer.ts";

const evil = '/home/x\n{"level":"ERROR"}\r\u001b[31mred\u2028\u0085';

Deno.test("a bug of the server is logged once with its cause, and the client gets a kind", async () => {
  await using server = await startServer();
  await server.addUser("anna");
  using peer = await Peer.open(server.address, "anna");
  Deno.removeSync(`${server.data}/staging`);

  await peer.send(eager(evil, text("x")), { verb: "put", path: evil, size: 5 }, { verb: "ping" });
  for (let i = 0; i < 2; i++) {
    const { error } = await peer.answer() as { error: Record<string, string> };
    assert.deepEqual(
      error,
      { kind: "io", message: "the server failed; its log says how", op: "put", path: evil },
    );
  }
  assert.equal((await peer.answer()).ok, true);
  Deno.mkdirSync(`${server.data}/staging`);
  await peer.ask(eager(evil, text("x")));
  await assertUp(server.address);
  assert.equal(await server.kill("SIGTERM"), 0);

  const lines = server.stderr().split("\n").filter((line) => line.startsWith("{"));
  const usual = ["barge.access", "barge.audit", "barge.serve"];
  const records = lines.map((line) => JSON.parse(line))
    .filter(({ logger }) => !usual.includes(logger));
  assert.equal(records.length, 2, server.stderr());
  for (const { level, properties } of records) {
    assert.equal(level, "ERROR");
    assert.equal(properties.path, evil);
    assert.match(properties.error, /\n +at /, "where it came from");
  }
});

Deno.test("control characters in a name are escaped in the log", () => {
  const record: LogRecord = {
    category: ["barge", "native"],
    level: "error",
    message: ["put ", evil, ": ", "line 1\nline 2", ""],
    rawMessage: "put {path}: {error}",
    timestamp: 0,
    properties: { path: evil, error: "line 1\nline 2" },
  };
  const access: LogRecord = {
    ...record,
    category: ["barge", "access"],
    level: "info",
    properties: {
      ...{ account: "anna", door: "native", address: "127.0.0.1:5000", verb: "move\n" },
      ...{ path: evil, to: "/home/\u009b31m\u0085y", bytes: 5, ms: 1.5, outcome: "ok" },
    },
  };
  for (const each of [record, access]) noControls(each);
  assert.equal(
    formatter(true, true)(access),
    '1970-01-01T00:00:00.000Z anna 127.0.0.1:5000 native "move\\n" ' +
      '"/home/x\\n{\\"level\\":\\"ERROR\\"}\\r\\u001b[31mred\\u2028\\u0085" ' +
      'to "/home/\\u009b31m\\u0085y" 5 bytes 1.5 ms ok\n',
  );
});

function noControls(record: LogRecord): void {
  for (const [terminal, color] of [[false, false], [true, false], [true, true]]) {
    const line = String(formatter(terminal, color)(record)).replace(/\n$/, "");
    assert.doesNotMatch(line, /[\n\r]/, line);
    assert.ok(!line.includes("\u001b[31mred"), line);
    assert.doesNotMatch(line, /[\x7f-\x9f\u2028-\u202e]/, line);
  }
}

/** Runs a program with a non-blocking standard error, which another process on the pipe can cause. */
const unblocked = "import os,fcntl,sys; fcntl.fcntl(2,fcntl.F_SETFL,os.O_NONBLOCK); " +
  "os.execv(sys.argv[1],sys.argv[1:])";

const python = await new Deno.Command("python3", { args: ["-V"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);

Deno.test({
  name: "a stuck reader of the log does not stop the server, and lost bytes are reported later",
  ignore: !python,
  fn: stuckReader,
});

async function stuckReader(): Promise<void> {
  const script = fileURLToPath(new URL("_stuck.ts", import.meta.url));
  const child = new Deno.Command("python3", {
    args: ["-c", unblocked, Deno.execPath(), "run", "--no-check", "--allow-all", script],
    ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  const stdout = child.stdout.getReader();
  const alive = await stdout.read();
  assert.equal(new TextDecoder().decode(alive.value), "alive\n");
  // The reader continues.
  const reading = new Response(child.stderr).text();
  const stdin = child.stdin.getWriter();
  await stdin.write(new Uint8Array(1));
  await stdin.close();
  const said = await reading;
  assert.ok((await child.status).success);
  await stdout.cancel();
  assert.match(
    said,
    /\n\{"lost":"\d+ bytes of the log were dropped: its reader was stuck"\}\n[^\n]*the last/,
  );
}
