/** Limits of the real program: what its options take, and a rate in isolated workers. */
import assert from "node:assert/strict";
import { barge, startServer } from "../_server.ts";
import { eager, pattern, Peer, text } from "../core/door/_peer.ts";

Deno.test("what can't be a limit is refused", async () => {
  for (const option of [["--rate-up", "10"], ["--max-connections", "x"], ["--ban-after", "-1"]]) {
    const { code, stderr } = await barge(["serve", ...option], {
      signal: AbortSignal.timeout(30_000),
    });
    assert.equal(code, 2, `${option}: ${stderr}`);
  }
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
