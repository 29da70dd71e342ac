import assert from "node:assert/strict";
import { talkUdp } from "../../../core/echo/client.ts";
import { type EchoServeOptions, EchoServer } from "../../../core/echo/serve.ts";
import { maxDatagramBytes } from "../../../core/echo/udp.ts";

const plain: EchoServeOptions = {
  transport: "udp",
  address: { host: "127.0.0.1", port: 0 },
  raw: false,
  tls: undefined,
  maxConnections: 0,
  idle: 0,
  log: false,
  workers: 1,
};

function socket(): Deno.DatagramConn & Disposable {
  const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  return Object.assign(conn, { [Symbol.dispose]: () => conn.close() });
}

function target({ address }: EchoServer): Deno.NetAddr {
  return { transport: "udp", hostname: address.host, port: address.port };
}

Deno.test("the answer to a datagram has its length, also if it is empty", async () => {
  const server = await EchoServer.start(plain);
  using conn = socket();
  for (const length of [0, 1, 1500, maxDatagramBytes]) {
    await conn.send(new Uint8Array(length).fill(0x61), target(server));
    const [answer] = await conn.receive(new Uint8Array(maxDatagramBytes + 1));
    assert.equal(answer.length, length);
    assert(answer.every((byte) => byte === 0x41));
  }
  const { datagrams, answered, dropped, received, sent } = await server.stop();
  assert.deepEqual([datagrams, answered, dropped], [4, 4, 0]);
  assert.equal(received, sent);
});

Deno.test("--raw answers with the same bytes", async () => {
  const server = await EchoServer.start({ ...plain, raw: true });
  using conn = socket();
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  await conn.send(all, target(server));
  assert.deepEqual((await conn.receive())[0], all);
  await server.stop();
});

async function* chunks(...texts: string[]) {
  for (const text of texts) yield new TextEncoder().encode(text);
}

function sink() {
  const decoder = new TextDecoder();
  const box = {
    text: "",
    write(bytes: Uint8Array) {
      box.text += decoder.decode(bytes);
      return Promise.resolve(bytes.length);
    },
  };
  return box;
}

Deno.test("the client sends each line as a datagram, however the pipe cuts them", async () => {
  const server = await EchoServer.start(plain);
  const out = sink();
  const talk = await talkUdp(server.address, chunks("on", "e\ntwo\n", "\nfour"), out, {
    timeout: 10_000,
  });
  assert.deepEqual(talk, { sent: 4, answered: 4, lost: 0 });
  assert.equal(out.text, "ONE\nTWO\n\nFOUR\n");
  await server.stop();
});

Deno.test("the client counts lost lines, and a late answer does not count as the next one", async () => {
  using conn = socket();
  const { hostname: host, port } = conn.addr as Deno.NetAddr;
  const answering = (async () => {
    const [first, from] = await conn.receive();
    const late = first.slice();
    const [second] = await conn.receive();
    await conn.send(late, from);
    await conn.send(second, from);
  })();
  const out = sink();
  const talk = await talkUdp({ host, port }, chunks("one\ntwo\n"), out, { timeout: 1000 });
  await answering;
  assert.deepEqual(talk, { sent: 2, answered: 1, lost: 1 });
  assert.equal(out.text, "two\n");
});

Deno.test("a line longer than a datagram is refused", async () => {
  const long = "x".repeat(maxDatagramBytes + 1);
  const talking = talkUdp({ host: "127.0.0.1", port: 9 }, chunks(long), sink(), { timeout: 10 });
  await assert.rejects(talking, { kind: "usage" });
});
