/** A flood of wrong passwords is the flooders' loss: transfers go on beside it. */
import assert from "node:assert/strict";
import { startServer } from "../_server.ts";
import { nonce } from "../../core/protocol/scram.ts";
import { eager, pattern, Peer, sha256 } from "../core/door/_peer.ts";

Deno.test("while many guess, an account logs in and transfers", async () => {
  await using server = await startServer({ args: ["--workers", "1"] });
  await server.addUser("anna");
  const token = await server.issueToken("anna");
  const flood = await Promise.all(Array.from({ length: 60 }, () => Peer.open(server.address)));
  const began = performance.now();
  let answered = 0;
  let over = false;
  const guessing = flood.map(async (peer, i) => {
    while (!over) {
      const asked = { mechanism: "password", account: `anna${i % 9}`, nonce: nonce() };
      await peer.send({ verb: "auth", ...asked }, { verb: "proof", proof: "A".repeat(43) + "=" });
      await peer.answer();
      await peer.answer();
      answered++;
    }
  }).map((guess) => guess.catch(() => {/* it is ended below */}));
  try {
    using peer = await Peer.open(server.address, token);
    const bytes = pattern(200_000);
    for (let i = 0; i < 20; i++) await peer.ask(eager(`/home/${i}`, bytes));
    await peer.ask({ verb: "get", path: "/home/0" });
    assert.equal(sha256(await peer.body()), sha256(bytes));
    await peer.answer();
  } finally {
    over = true;
    for (const peer of flood) peer[Symbol.dispose]();
    await Promise.all(guessing);
  }
  // A few come soon; from then on each connection waits 5 s for every answer.
  const most = flood.length * (2 + (performance.now() - began) / 5000);
  assert.ok(answered <= most, `${answered} guesses were answered`);
});
