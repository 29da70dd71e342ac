/** Limits of the real program: what its options take, and a rate in isolated workers. */
import assert from "node:assert/strict";
import { barge, startServer } from "../_server.ts";
import { eager, pattern, Peer, sha256, text } from "../core/door/_peer.ts";

Deno.test("what can't be a limit is refused", async () => {
  for (const option of [["--rate-up", "10"], ["--max-connections", "x"], ["--ban-after", "-1"]]) {
    const { code, stderr } = await barge(["serve", ...option], {
      signal: AbortSignal.timeout(30_000),
    });
    assert.equal(code, 2, `${option}: ${stderr}`);
  }
  const { code, stderr } = await barge(["serve", "--limits", "/none"]);
  assert.equal(code, 7, stderr);
  assert.match(stderr, /read configuration \/none: no such file/);
  const dir = await Deno.makeTempDir({ prefix: "barge-limits-" });
  Deno.writeTextFileSync(`${dir}/limits.json`, '{"max-conections": 500}');
  const typo = await barge(["serve", "--limits", `${dir}/limits.json`]);
  assert.equal(typo.code, 2, typo.stderr);
  assert.match(typo.stderr, /there is no option "max-conections"\n\(did you mean max-connections/);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a rate is kept, and limits of 0 limit nothing", async () => {
  const none = ["--max-connections", "0", "--max-per-account", "0", "--ban-after", "0"];
  const args = ["--workers", "2", "--rate-up", "100kB", "--rate-down", "none", ...none];
  await using server = await startServer({ args });
  await server.addUser("anna");
  const began = performance.now();
  using peer = await Peer.open(server.address, "anna");
  await peer.ask(eager("/home/a", pattern(200_000)));
  assert.ok(performance.now() - began > 900);
  using other = await Peer.open(server.address);
  for (let i = 0; i < 3; i++) assert.equal((await other.prove("anna", "wrong")).ok, false);
  await other.login("anna");
  await other.ask(eager("/home/b", text("b")));
});

Deno.test("SIGHUP reads --limits again; a transfer under way goes on, at the new rate", async () => {
  const dir = await Deno.makeTempDir({ prefix: "barge-limits-" });
  const file = `${dir}/limits.json`;
  const write = (limits: object) => Deno.writeTextFileSync(file, JSON.stringify(limits));
  write({ "max-connections": 8, "max-per-account": 5 });
  const args = ["--workers", "2", "--limits", file, "--max-per-account", "7"];
  await using server = await startServer({ args });
  await server.addUser("anna");
  const token = await server.issueToken("anna");
  const peers = await Promise.all(
    Array.from({ length: 7 }, () => Peer.open(server.address, token)),
  );
  // What the command line says counts more than the file.
  using more = await Peer.open(server.address);
  assert.match(JSON.stringify(await more.prove("anna", "anna-secret")), /too many connections/);

  const bytes = pattern(400_000);
  await peers[0].ask({ verb: "put", path: "/home/big", size: bytes.length });
  await peers[0].send({ offset: 0, body: bytes.length }, bytes.subarray(0, 100_000));

  // What is no good changes nothing.
  for (const wrong of ["{", '{"max-connection": 1}', '{"rate-up": 10}', "[]"]) {
    Deno.writeTextFileSync(file, wrong);
    const said = server.stderr().split("the former settings stay").length;
    server.process.kill("SIGHUP");
    const deadline = performance.now() + 20_000;
    while (server.stderr().split("the former settings stay").length === said) {
      assert.ok(performance.now() < deadline, `${wrong} was taken`);
      await peers[1].ask({ verb: "ping" });
    }
  }
  peers.pop()![Symbol.dispose]();
  await refused(server.address, 0); // its place is free again

  write({ "max-connections": 4, "rate-up": "100kB" });
  server.process.kill("SIGHUP");
  await server.said("the settings were reloaded");
  assert.match(server.stderr(), /--limits is deprecated: move its limits to the table/);
  assert.match(server.stderr(), /rate-up from none to 100kB.*"rate-up":\{"from":null,"to":100000/); // under the name that the file has for it
  assert.doesNotMatch(server.stderr(), /rateUp/);
  await refused(server.address, 1);
  for (const peer of peers.slice(1)) await peer.ask({ verb: "ping" });
  const began = performance.now();
  await peers[0].ask(bytes.subarray(100_000), { sha256: sha256(bytes) });
  const took = performance.now() - began;
  // A second's bytes may come at once, and each side may have a piece of 64 KiB on its way.
  assert.ok(took > 650, `300 kB in ${took} ms at 100 kB/s`);
  for (const peer of peers) peer[Symbol.dispose]();
  await Deno.remove(dir, { recursive: true });
});

/** Waits until who connects is told that there is no place (1), or that there is one (0). */
async function refused(address: string, wanted: 0 | 1): Promise<void> {
  const deadline = performance.now() + 60_000;
  // Either worker may be the one that answers, by the kernel's choice.
  for (let row = 0; row < 8;) {
    assert.ok(performance.now() < deadline, "it did not come true");
    using peer = await Peer.connect(address);
    await peer.send({ verb: "hello", version: 1 });
    row = (await peer.answer()).ok === (wanted === 0) ? row + 1 : 0;
  }
}
