/** The wait before a failed login's answer: it is nobody else's, and ends with its connection. */
import assert from "node:assert/strict";
import { nonce } from "../../../core/protocol/scram.ts";
import { Here } from "./_here.ts";
import { pattern, Peer } from "./_peer.ts";

const wrong = { verb: "proof", proof: "A".repeat(43) + "=" };
const auth = () => ({ verb: "auth", mechanism: "token", account: "none", nonce: nonce() });

/** Has so many logins from loopback failed that the next one is answered after 5 s. */
function slowDown(here: Here): void {
  const attempt = { account: undefined, name: "none", mechanism: "token", host: "::1" } as const;
  for (let i = 0; i < 8; i++) here.store.bans.failed(attempt);
  assert.equal(here.store.bans.failed(attempt).delay, 5000);
}

Deno.test("who leaves during the wait is gone at once, however it leaves", async () => {
  await using here = await Here.start({});
  using other = await Peer.open(here.address, here.token);
  slowDown(here);
  const leave: ((peer: Peer) => void | Promise<void>)[] = [
    (peer) => peer.stream.close(),
    (peer) => peer.stream.end(),
  ];
  for (const how of leave) {
    using peer = await Peer.open(here.address);
    await peer.ask(auth());
    await peer.send(wrong);
    const began = performance.now();
    await how(peer);
    while (here.door.connections > 1) await other.ask({ verb: "ping" });
    assert.ok(performance.now() - began < 4000, "the wait was 5 s");
  }
});

Deno.test("a server that stops does not wait for it", async () => {
  const here = await Here.start({});
  slowDown(here);
  using peer = await Peer.open(here.address);
  await peer.ask(auth());
  await peer.send(wrong);
  const began = performance.now();
  await here[Symbol.asyncDispose]();
  assert.ok(performance.now() - began < 4000, "the wait was 5 s");
});

Deno.test("what was sent ahead of the answer is kept, in order, whatever its length", async () => {
  await using here = await Here.start({});
  using peer = await Peer.open(here.address);
  await peer.ask(auth());
  const agent = "x".repeat(1500);
  const pings = Array.from({ length: 40 }, () => ({ verb: "ping", agent }));
  await peer.send(wrong, ...pings.slice(0, 1));
  await peer.send(...pings.slice(1));
  assert.equal(await peer.failure(), "unauthenticated");
  for (const _ of pings) assert.equal((await peer.answer()).ok, true);
  // And one wait after the other, with a whole body behind the second.
  await peer.ask(auth());
  const put = { verb: "put", path: "/home/a", size: 5000, body: 5000 };
  await peer.send(wrong, auth(), wrong, put, pattern(5000), { sha256: "0".repeat(64) });
  assert.equal(await peer.failure(), "unauthenticated");
  assert.equal((await peer.answer()).ok, true);
  assert.equal(await peer.failure(), "unauthenticated");
  assert.equal(await peer.failure(), "unauthenticated");
  await peer.ask({ verb: "ping" });
});
