/** Logs: one record a failure, with its cause, and nobody forges another. */
import assert from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import { formatter } from "../../../core/serve/log.ts";
import { startServer } from "../../_server.ts";
import { assertUp, eager, Peer, text } from "../door/_peer.ts";

const evil = '/home/x\n{"level":"ERROR"}\r\u001b[31mred\u2028\u0085';

Deno.test("a failure of the server's own is logged once, with its cause; the client is told a kind", async () => {
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

  const lines = server.stderr().split("\n").filter((line) => line.includes("level"));
  const records = lines.map((line) => JSON.parse(line));
  assert.equal(records.length, 2, server.stderr());
  for (const { level, properties } of records) {
    assert.equal(level, "ERROR");
    assert.equal(properties.path, evil);
    assert.match(properties.error, /\n +at /, "where it came from");
  }
});

Deno.test("control characters in a name stay inside their record", () => {
  const record: LogRecord = {
    category: ["barge", "native"],
    level: "error",
    message: ["put ", evil, ": ", "line 1\nline 2", ""],
    rawMessage: "put {path}: {error}",
    timestamp: 0,
    properties: { path: evil, error: "line 1\nline 2" },
  };
  for (const [terminal, color] of [[false, false], [true, false], [true, true]]) {
    const line = String(formatter(terminal, color)(record)).replace(/\n$/, "");
    assert.doesNotMatch(line, /[\n\r]/, line);
    assert.ok(!line.includes("\u001b[31mred"), line);
  }
});
