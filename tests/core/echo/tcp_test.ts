import assert from "node:assert/strict";
import { type EchoServeOptions, EchoServer } from "../../../core/echo/serve.ts";
import type { EchoEvent } from "../../../core/echo/echo_worker.ts";

const plain: EchoServeOptions = {
  transport: "tcp",
  address: { host: "127.0.0.1", port: 0 },
  raw: false,
  tls: undefined,
  maxConnections: 0,
  idle: 0,
  log: true,
  workers: 1,
};

async function connect({ address }: EchoServer): Promise<Deno.TcpConn> {
  return await Deno.connect({ hostname: address.host, port: address.port });
}

async function exchange(conn: Deno.Conn, bytes: Uint8Array): Promise<Uint8Array> {
  const [answer] = await Promise.all([readExactly(conn, bytes.length), writeAll(conn, bytes)]);
  return answer;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

async function readExactly(conn: Deno.Conn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const n = await conn.read(bytes.subarray(at));
    assert(n !== null, `the answer ended after ${at} of ${length} bytes`);
    at += n;
  }
  return bytes;
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("bytes are returned in upper case, and counted", async () => {
  const events: EchoEvent[] = [];
  const server = await EchoServer.start({ ...plain, onEvent: (event) => events.push(event) });
  using conn = await connect(server);
  assert.equal(text(await exchange(conn, bytes("Hello, wörld\n"))), "HELLO, WöRLD\n");
  const { counters, connections } = await server.count();
  assert.deepEqual([counters.open, counters.received, counters.sent], [1, 14, 14]);
  assert.deepEqual(connections.map(({ received, sent }) => [received, sent]), [[14, 14]]);
  await conn.closeWrite();
  assert.equal(await conn.read(new Uint8Array(1)), null);
  const all = await server.stop();
  assert.deepEqual([all.accepted, all.open, all.received], [1, 0, 14]);
  assert.deepEqual(events.map(({ type }) => type), ["opened", "closed"]);
});

Deno.test("--raw returns every byte, however large the message", async () => {
  const server = await EchoServer.start({ ...plain, raw: true });
  using conn = await connect(server);
  const message = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);
  assert.deepEqual(await exchange(conn, message), message);
  assert.equal(text(await exchange(conn, bytes("small again"))), "small again");
  await server.stop();
});

Deno.test("a connection beyond the limit of all workers is closed and counted", async () => {
  const server = await EchoServer.start({ ...plain, maxConnections: 2, workers: 2 });
  using first = await connect(server);
  using second = await connect(server);
  assert.equal(text(await exchange(first, bytes("a"))), "A");
  assert.equal(text(await exchange(second, bytes("b"))), "B");
  using third = await connect(server);
  assert.equal(await third.read(new Uint8Array(1)).catch(() => null), null);
  const { refused, open } = (await server.count()).counters;
  assert.deepEqual([refused, open], [1, 2]);
  await server.stop();
});

Deno.test("an idle connection is cut", async () => {
  const events: EchoEvent[] = [];
  const server = await EchoServer.start({
    ...plain,
    idle: 100,
    onEvent: (event) => events.push(event),
  });
  using conn = await connect(server);
  assert.equal(await conn.read(new Uint8Array(1)), null);
  assert.equal((await server.stop()).idle, 1);
  const [, closed] = events;
  assert(closed.type === "closed" && closed.ended.why === "idle");
});

Deno.test("the server stops reading from a client that does not read, and serves the others", async () => {
  const server = await EchoServer.start({ ...plain, raw: true });
  using deaf = await connect(server);
  using other = await connect(server);
  const chunk = new Uint8Array(1 << 20);
  // Written until the server takes no more: the kernel's buffers are full in both directions.
  const stuck = new AbortController();
  let taken = 0;
  const pushing = (async () => {
    try {
      while (!stuck.signal.aborted) taken += await deaf.write(chunk);
    } catch { /* closed below */ }
  })();
  let last = -1;
  while (last !== taken) {
    last = taken;
    for (let i = 0; i < 200; i++) assert.equal(text(await exchange(other, bytes("x"))), "x");
  }
  const { connections } = await server.count();
  const held = Math.max(...connections.map(({ received, sent }) => received - sent));
  assert(held <= 64 * 1024, `${held} bytes are held for one who does not read`);
  stuck.abort();
  await server.stop();
  await pushing;
});

Deno.test("500 busy connections are served alike", async () => {
  const server = await EchoServer.start(plain);
  const [count, rounds] = [500, 100];
  const conns = await Promise.all(Array.from({ length: count }, () => connect(server)));
  const message = bytes("abc\n");
  const done = new Array(count).fill(0);
  let least = 0;
  const one = async (conn: Deno.TcpConn, i: number) => {
    // The fastest stops when the slowest was to be done, had all been served alike.
    while (done[i] < rounds && least < rounds) {
      await exchange(conn, message);
      if (++done[i] === rounds) least = rounds;
    }
  };
  await Promise.all(conns.map(one));
  const mean = done.reduce((sum, n) => sum + n, 0) / count;
  assert(Math.min(...done) > 0, "somebody was not served at all");
  assert(mean > rounds / 4, `the fastest had ${rounds}, the mean ${mean}`);
  for (const conn of conns) conn.close();
  await server.stop();
});

Deno.test("an address in use is an error with its kind", async () => {
  const server = await EchoServer.start(plain);
  await assert.rejects(EchoServer.start({ ...plain, address: server.address }), {
    name: "BargeError",
    kind: "fatal",
  });
  await server.stop();
});
