/** Tests the timeouts of clients, and how the door stops. */
import assert from "node:assert/strict";
import { pattern, sha256 } from "../_peer.ts";
import { api, Web } from "./_web.ts";

const put = `${api}/files/home/f`;

Deno.test("a connection without a complete head is cut", async () => {
  await using web = await Web.start({}, { headMs: 300 });
  const client = await web.client();
  await client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ");
  const { status, headers } = await client.answer();
  assert.deepEqual([status, headers.get("content-type")], [408, "application/problem+json"]);
  assert.equal(await client.end(), "");
});

Deno.test("an idle connection is closed, before and between requests", async () => {
  await using web = await Web.start({}, { headMs: 300, idleMs: 300 });
  const silent = await web.client();
  assert.match(await silent.end(), /^HTTP\/1.1 408 /);
  const idle = await web.client();
  assert.equal((await idle.ask("GET", "/healthz")).status, 200);
  assert.equal(await idle.end(), "");
});

Deno.test("pipelined requests are answered in order, up to a limit", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  await anna.ask("PUT", put, {}, pattern(300_000));
  for (let i = 0; i < 20; i++) {
    await anna.begin("GET", i % 2 ? put : `${api}/quota`, {
      host: "localhost",
      range: `bytes=${i}-`,
    });
  }
  for (let i = 0; i < 20; i++) {
    const { status, bytes } = await anna.answer();
    assert.deepEqual([status, bytes.length], i % 2 ? [206, 300_000 - i] : [200, bytes.length]);
  }
  const greedy = await web.client();
  await greedy.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000)).catch(
    () => {},
  );
  const answers = (await greedy.end()).split("HTTP/1.1 200").length - 1;
  assert.ok(answers < 1000, `${answers} were answered`);
});

Deno.test("a stalled body is cut, and its bytes are kept", async () => {
  await using web = await Web.start({}, { stallMs: 300 });
  const anna = await web.user("anna");
  await anna.begin("PUT", put, { "content-length": "500000" });
  await anna.send(pattern(300_000));
  assert.equal(await anna.end(), "");
  while (web.door.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await web.door.stop(0);
  const [{ holder, size }] = web.store.reservations.uploads();
  assert.deepEqual([holder, size], [null, 500_000]);
});

Deno.test("a body below the lowest rate is cut, one at that rate is not", async () => {
  const floor = { bytes: 10_000, periodMs: 400 };
  await using web = await Web.start({}, { minRate: floor });
  const anna = await web.user("anna");
  const bob = await web.user("bob");
  const size = { "content-length": "600000" };
  await Promise.all([anna.begin("PUT", put, size), bob.begin("PUT", put, size)]);
  const bytes = pattern(600_000);
  const slow = (async () => {
    for (let at = 0;; at += 10) {
      try {
        await anna.send(bytes.subarray(at, at + 10));
      } catch {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  for (let at = 0; at < bytes.length; at += 20_000) {
    await bob.send(bytes.subarray(at, at + 20_000));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal((await bob.answer()).json.sha256, sha256(bytes));
  await slow;
});

Deno.test("a client that reads nothing is cut", async () => {
  await using web = await Web.start({}, {
    stallMs: 200,
    minRate: { bytes: 10_000_000, periodMs: 100 },
  });
  const anna = await web.user("anna");
  await anna.ask("GET", `${api}/quota`); // makes the home
  Deno.writeFileSync(`${web.store.settings.data}/homes/anna/f`, new Uint8Array(20_000_000));
  await anna.begin("GET", put);
  while (web.door.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

Deno.test("a stopping door lets requests end, and closes idle connections", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const idle = await web.client();
  assert.equal((await idle.ask("GET", "/readyz")).status, 200);
  await anna.begin("PUT", put, { "content-length": "300000", "expect": "100-continue" });
  assert.equal((await anna.answer()).status, 100);
  const stopped = web.door.stop(60_000);
  assert.equal(await idle.end(), "");
  await assert.rejects(() => web.client());
  await anna.send(pattern(300_000));
  const { status, headers } = await anna.answer();
  assert.deepEqual([status, headers.get("connection")], [201, "close"]);
  await stopped;
});

Deno.test("a request that outlasts the grace period is cut, and its upload can be resumed", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  await anna.begin("PUT", put, { "content-length": "300000", "expect": "100-continue" });
  assert.equal((await anna.answer()).status, 100);
  await anna.send(pattern(200_000));
  while (web.store.roster.here().every(({ bytes }) => bytes < 200_000)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await web.door.stop(0);
  assert.equal(await anna.end(), "");
  const [{ holder, want }] = web.store.reservations.uploads();
  assert.deepEqual([holder, want], [null, 200_000]);
});

Deno.test("the operator limits the number of connections", async () => {
  const limits = { connections: 2, perAddress: 0, perAccount: 0 };
  await using web = await Web.start({ limits });
  const [first] = [await web.client(), await web.client()];
  assert.equal((await first.ask("GET", "/healthz")).status, 200);
  const third = await web.client();
  const { status, json } = await third.answer();
  assert.deepEqual([status, json.kind], [503, "unavailable"]);
  assert.equal(await third.end(), "");
  first[Symbol.dispose]();
  while (web.door.connections > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await (await web.client()).ask("GET", "/healthz")).status, 200);
});

Deno.test("the rate of an account applies to this door", async () => {
  await using web = await Web.start({ rateUp: 400_000, rateDown: 400_000 });
  const anna = await web.user("anna");
  const bytes = pattern(600_000);
  const began = performance.now();
  await anna.ask("PUT", put, {}, bytes);
  const got = await anna.ask("GET", put);
  assert.equal(sha256(got.bytes), sha256(bytes));
  assert.ok(performance.now() - began > 900, "600,000 bytes at 400,000 a second, twice");
});
