/** The access log: one line for every request, that tells all and gives nothing away. */
import assert from "node:assert/strict";
import { type Server, startServer } from "../../_server.ts";
import { eager, pattern, Peer, sha256, text } from "./_peer.ts";

/** The access records that the server has written. */
// deno-lint-ignore no-explicit-any
function records(server: Server): any[] {
  return server.stderr().split("\n").filter((line) => line.includes('"barge.access"'))
    .map((line) => JSON.parse(line));
}

Deno.test("every request is one line, with who, what, how much and how it ended", async () => {
  await using server = await startServer({ args: ["--workers", "1"] });
  await server.addUser("anna", { quota: "100000" });
  using peer = await Peer.open(server.address, "anna");
  const bytes = pattern(60_000);
  await peer.ask(eager("/home/a", text("hello")));
  await peer.ask({ verb: "put", path: "/home/b", size: bytes.length });
  await peer.ask({ offset: 0, body: bytes.length }, bytes, { sha256: sha256(bytes) });
  await peer.ask({ verb: "get", path: "/home/b", offset: 10_000 });
  await peer.body();
  await peer.answer();
  await peer.fail(eager("/home/c", pattern(90_000)));
  await peer.fail({ verb: "put", path: "/home/none/c", size: 5 });
  await peer.fail({ verb: "stat", path: "/home/none" });
  await peer.ask({ verb: "move", from: "/home/a", to: "/home/z" });
  await peer.fail({ verb: "dance", path: "/home" });
  await peer.ask({ verb: "bye" });
  await peer.gone();
  assert.equal(await server.kill("SIGTERM"), 0);

  const found = records(server);
  const told = found.map(({ account, verb, path, to, bytes, outcome }) =>
    [account, verb, path, bytes, outcome, ...to ? [to] : []].join(" ")
  );
  assert.deepEqual(told, [
    " hello  0 ok",
    "anna auth  0 ok",
    "anna proof  0 ok",
    "anna put /home/a 5 ok",
    "anna put /home/b 60000 ok",
    "anna get /home/b 50000 ok",
    "anna put /home/c 90000 over-quota",
    "anna put /home/none/c 0 no-directory",
    "anna stat /home/none 0 not-found",
    "anna move /home/a 0 ok /home/z",
    "anna dance /home 0 unsupported",
    "anna bye  0 ok",
  ]);
  for (const record of found) {
    assert.equal(record.door, "native");
    assert.match(record.address, /^127\.0\.0\.1:\d+$/);
    assert.match(record["@timestamp"], /^20\d\d-\d\d-\d\dT.*Z$/);
    assert.equal(record.level, "INFO");
    assert.ok(record.ms >= 0 && record.ms < 60_000);
  }
});

Deno.test("what was cut off, and what was no request", async () => {
  await using server = await startServer({ args: ["--workers", "1"] });
  await server.addUser("anna");
  {
    using peer = await Peer.open(server.address, "anna");
    await peer.ask({ verb: "put", path: "/home/a", size: 100_000 });
    await peer.send({ offset: 0, body: 100_000 }, pattern(40_000));
  }
  {
    using stranger = await Peer.connect(server.address);
    await stranger.send(text("GET / HTTP/1.1\r\n\r\n"));
    await stranger.failure();
  }
  assert.equal(await server.kill("SIGTERM"), 0);
  const [put] = records(server).filter(({ verb }) => verb === "put");
  assert.deepEqual([put.account, put.bytes, put.outcome], ["anna", 40_000, "unavailable"]);
  const [none] = records(server).filter(({ verb }) => verb === null);
  assert.deepEqual([none.account, none.path, none.outcome], [null, null, "protocol"]);
});

Deno.test("a failed login is a warning, with the name and the address", async () => {
  await using server = await startServer({ args: ["--workers", "1", "--log-level", "warn"] });
  await server.addUser("anna");
  using peer = await Peer.open(server.address);
  const token = `barge_0123456789ab_${"secret".repeat(5)}`;
  for (const name of ["anna", "nobody", "no\nname", token]) await peer.prove(name, "wrong-secret");
  await peer.login("anna");
  await peer.ask({ verb: "quota" });
  assert.equal(await server.kill("SIGTERM"), 0);
  const told = records(server).map(({ level, account, verb, outcome }) =>
    [level, account.replace(/[0-9a-f]{12}$/, ""), verb, outcome].join(" ")
  );
  assert.deepEqual(told, [
    "WARN anna proof unauthenticated",
    ...Array(3).fill("WARN ? proof unauthenticated"),
  ]);
  assert.match(records(server)[0].address, /^127\.0\.0\.1:\d+$/);
  assert.doesNotMatch(server.stderr(), /secret/);
});

Deno.test("no secret is in the log, whatever is logged", async () => {
  await using server = await startServer({ args: ["--log-level", "debug", "--allow-register"] });
  await server.addUser("anna");
  using peer = await Peer.open(server.address, "anna");
  const token = await peer.token();
  using other = await Peer.open(server.address, token);
  await other.ask({ verb: "ping" });
  assert.equal(await server.kill("SIGTERM"), 0);
  assert.ok(!server.stderr().includes(token.slice(-20)));
  // A login by token is recorded for the account of the token.
  const logins = records(server).filter(({ verb }) => verb === "auth" || verb === "proof");
  assert.deepEqual([...new Set(logins.map(({ account }) => account))], ["anna"]);
  assert.match(server.stderr(), /"message":"stopping; .*\n(.*\n)*.*"message":"stopped"/);
  assert.doesNotMatch(server.stderr(), /anna-secret|"proof":|storedKey|"nonce"/);
});

Deno.test("no name forges a line, and a long one fits a line that a pipe takes whole", async () => {
  await using server = await startServer({ args: ["--workers", "2"] });
  await server.addUser("anna");
  using peer = await Peer.open(server.address, "anna");
  const names = [
    'x\n{"level":"ERROR","logger":"barge.access"}',
    "x\r\u001b[31mred\u0007",
    "x\u0085\u2028\u2029\u009b31m\u202e",
    "\u0001".repeat(1000),
    "Ä€😀".repeat(300),
  ];
  for (const name of names) {
    await peer.send({ verb: "stat", path: `/home/${name}` }, { verb: "nonsense" + name });
    await peer.answer();
    await peer.answer();
  }
  assert.equal(await server.kill("SIGTERM"), 0);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(server.stderr(), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]/);
  const lines = server.stderr().split("\n").filter((line) => line.startsWith("{"));
  const encoder = new TextEncoder();
  for (const line of lines) assert.ok(encoder.encode(line).length < 4096);
  const found = records(server);
  assert.equal(found.length, 3 + 2 * names.length);
  assert.deepEqual(
    found.filter(({ verb }) => verb === "stat").slice(0, 3).map(({ path }) => path),
    names.slice(0, 3).map((name) => `/home/${name}`),
  );
});

Deno.test("lines are there within a second, and none is lost when the server is stopped", async () => {
  await using server = await startServer({ args: ["--workers", "2"] });
  await server.addUser("anna");
  using peer = await Peer.open(server.address, "anna");
  await peer.ask({ verb: "ping" });
  const deadline = performance.now() + 5_000;
  while (!records(server).some(({ verb }) => verb === "ping")) {
    assert.ok(performance.now() < deadline, "the line did not come");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const many = 500;
  for (let i = 0; i < many; i++) await peer.send(eager(`/home/${i}`, text("x")));
  for (let i = 0; i < many; i++) assert.equal((await peer.answer()).ok, true);
  assert.equal(await server.kill("SIGTERM"), 0);
  const paths = new Set(records(server).filter(({ verb }) => verb === "put").map((r) => r.path));
  assert.equal(paths.size, many);
});
