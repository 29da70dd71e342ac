/** Transfer rates: an account's connections share one; all arrives as it was sent. */
import assert from "node:assert/strict";
import { Here } from "./_here.ts";
import { eager, pattern, Peer, sha256 } from "./_peer.ts";

const half = pattern(300_000);

/** Puts and gets half the bytes on each of two connections at once. @returns ms for each */
async function transfer(here: Here): Promise<{ up: number; down: number }> {
  using one = await Peer.open(here.address, here.token);
  using two = await Peer.open(here.address, here.token);
  const peers = [one, two];
  let began = performance.now();
  await Promise.all(peers.map(async (peer, i) => {
    await peer.ask({ verb: "put", path: `/home/${i}`, size: half.length });
    await peer.send({ offset: 0, body: half.length }, half, { sha256: sha256(half) });
    assert.equal((await peer.answer()).sha256, sha256(half));
  }));
  const up = performance.now() - began;
  began = performance.now();
  await Promise.all(peers.map(async (peer, i) => {
    await peer.ask({ verb: "get", path: `/home/${i}` });
    assert.equal(sha256(await peer.body()), sha256(half));
    assert.equal((await peer.answer()).sha256, sha256(half));
  }));
  return { up, down: performance.now() - began };
}

Deno.test("what an account sends is held to the rate, all its connections together", async () => {
  await using here = await Here.start({}, { rateUp: 300_000 });
  const { up } = await transfer(here);
  assert.ok(up > 950, `600 kB in ${up} ms, of which 300 kB may come at once`);
});

Deno.test("and what it is sent", async () => {
  await using here = await Here.start({}, { rateDown: 300_000 });
  const { down } = await transfer(here);
  assert.ok(down > 950, `600 kB in ${down} ms, of which 300 kB may go at once`);
});

Deno.test("a pipeline of small uploads under a rate; a server that stops in between", async () => {
  const here = await Here.start({}, { rateUp: 100_000, rateDown: 100_000 });
  using peer = await Peer.open(here.address, here.token);
  const puts = Array.from({ length: 40 }, (_, i) => eager(`/home/${i}`, pattern(3000, i)));
  const began = performance.now();
  await peer.send(...puts);
  for (const _ of puts) assert.equal((await peer.answer()).ok, true);
  assert.ok(performance.now() - began > 150);
  await peer.send({ verb: "put", path: "/home/big", size: 10_000_000 });
  await peer.answer();
  await peer.send({ offset: 0, body: 10_000_000 }, pattern(200_000));
  await here[Symbol.asyncDispose]();
});
