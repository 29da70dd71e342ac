import assert from "node:assert/strict";
import { Attack, type AttackOptions } from "../../../core/bench/attack.ts";
import { tcpConnections } from "../../../core/bench/tcp_connection.ts";
import { udpConnections } from "../../../core/bench/udp_connection.ts";
import { delay } from "../../../core/net/delay.ts";

const never = new AbortController().signal;
const options: AttackOptions = {
  connections: 4,
  duration: 500,
  requests: undefined,
  rate: undefined,
  warmUp: 0,
  timeout: 5000,
  signal: never,
};

interface Served extends AsyncDisposable {
  readonly address: { readonly host: string; readonly port: number };
}

/** Starts a server that calls `answer` for each message of 64 bytes. */
function serve(answer: (conn: Deno.TcpConn, bytes: Uint8Array) => Promise<void> | void): Served {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns = new Set<Deno.TcpConn>();
  const one = async (conn: Deno.TcpConn) => {
    conns.add(conn);
    conn.setNoDelay(true);
    try {
      const buffer = new Uint8Array(64);
      for (let n; (n = await conn.read(buffer)) !== null;) await answer(conn, buffer.slice(0, n));
    } catch { /* the client is done */ }
    close(conn);
  };
  const close = (conn: Deno.TcpConn) => {
    if (conns.delete(conn)) conn.close();
  };
  const ends: Promise<void>[] = [];
  const accepting = (async () => {
    try {
      while (true) ends.push(one(await listener.accept()));
    } catch { /* closed */ }
  })();
  return {
    address: { host: "127.0.0.1", port: listener.addr.port },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const conn of conns) close(conn);
      await accepting;
      await Promise.all(ends);
    },
  };
}

function attack({ address }: Served, change: Partial<AttackOptions> = {}, verify = false) {
  const open = tcpConnections({ address, size: 64, verify, timeout: 5000 });
  return new Attack(open, { ...options, ...change });
}

/** Runs a load without a time limit until its counts meet a condition. */
function runUntil(
  met: (metrics: Attack["metrics"]) => boolean,
  server: Served,
  change: Partial<AttackOptions>,
  verify = false,
) {
  const stop = new AbortController();
  const onMeasuring = () => {
    const look = () => met(running.metrics) ? stop.abort() : setTimeout(look, 5);
    look();
  };
  const limits = { duration: 600_000, signal: stop.signal, onMeasuring };
  const running: Attack = attack(server, { ...change, ...limits }, verify);
  return running.run();
}

const echo = async (conn: Deno.TcpConn, bytes: Uint8Array) => void await conn.write(bytes);

Deno.test("each answer and its bytes are counted once", async () => {
  await using server = serve(echo);
  const metrics = await attack(server, { requests: 1000, duration: 60_000 }).run();
  assert.equal(metrics.answers, 1000);
  assert.equal(metrics.latencies.count, 1000);
  assert.equal(metrics.bytes, 1000 * 128);
  assert.deepEqual(metrics.failures, {});
});

Deno.test("the measured latencies have the distribution of the server's delays", async () => {
  // Of ten answers nine come after 20 ms, and one after 100.
  let count = 0;
  await using server = serve(async (conn, bytes) => {
    await delay(count++ % 10 === 9 ? 100 : 20, never);
    await conn.write(bytes);
  });
  const { latencies } = await attack(server, { requests: 200, duration: 60_000 }).run();
  // A loaded machine makes it later, and never earlier.
  assert(latencies.min >= 19, `min ${latencies.min}`);
  assert(latencies.percentile(92) >= 99, `p92 ${latencies.percentile(92)}`);
  assert(latencies.percentile(50) < latencies.percentile(92), `p50 ${latencies.percentile(50)}`);
  assert(latencies.mean >= 27, `mean ${latencies.mean}`);
});

Deno.test("at a rate, a stall of the server shows in the latencies", async () => {
  // It answers at once, but for one second in which it answers nobody.
  const began = performance.now();
  const stall = { from: 500, to: 1500 };
  await using server = serve(async (conn, bytes) => {
    const now = performance.now() - began;
    if (now > stall.from && now < stall.to) await delay(stall.to - now, never);
    await conn.write(bytes);
  });
  const change = { connections: 2, duration: 2000, rate: 200 };
  const { latencies, answers } = await attack(server, change).run();
  // 400 were due, 200 of them while it stalled: from a second down to nothing, half a second in the
  // middle. Uncorrected, two requests would be slow, and p99 fast.
  assert(answers >= 300, `${answers} answers`);
  const [p99, p75] = [latencies.percentile(99), latencies.percentile(75)];
  assert(p99 > 900, `p99 ${p99}`);
  assert(p75 > 300, `p75 ${p75}`);
});

Deno.test("requests without an answer count as late, with the time that they waited", async () => {
  await using server = serve(() => {});
  const { latencies, answers, failures } = await runUntil(
    ({ failures }) => failures.late !== undefined,
    server,
    { connections: 2, timeout: 200, rate: 50 },
  );
  assert.equal(answers, 0);
  assert(failures.late! > 0, JSON.stringify(failures));
  assert(latencies.percentile(50) > 100, `p50 ${latencies.percentile(50)}`);
});

Deno.test("failures are counted by their kind", async () => {
  const kinds: [string, (conn: Deno.TcpConn, bytes: Uint8Array) => Promise<void>][] = [
    ["wrong", async (conn, bytes) => void await conn.write(bytes.fill(0x21))],
    ["extra", async (conn, bytes) => void await conn.write(new Uint8Array([...bytes, 33, 33]))],
    ["closed", async (conn) => await conn.closeWrite()],
  ];
  for (const [kind, answer] of kinds) {
    await using server = serve(answer);
    const { failures, answers } = await runUntil(
      ({ failures }) => kind in failures,
      server,
      {},
      true,
    );
    assert.equal(answers, 0, kind);
    assert.deepEqual(Object.keys(failures), [kind]);
  }
});

Deno.test("without a server the load ends at once with an error", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const open = tcpConnections({
    address: { host: "127.0.0.1", port },
    size: 1,
    verify: false,
    timeout: 1000,
  });
  await assert.rejects(new Attack(open, { ...options, duration: 600_000 }).run(), {
    name: "BargeError",
    kind: "unavailable",
    message: "nothing listens there",
  });
});

Deno.test("a stop ends the load with the measurement so far", async () => {
  await using server = serve(echo);
  const { answers } = await runUntil(({ answers }) => answers > 5, server, { rate: 100 });
  assert(answers > 5);
});

Deno.test("lost datagrams are counted, and a late answer does not count as the next one", async () => {
  const server = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = server.addr as Deno.NetAddr;
  let kept: Uint8Array | undefined;
  let count = 0;
  const serving = (async () => {
    try {
      while (true) {
        const [bytes, from] = await server.receive();
        // Every second one is kept back, and comes before the answer to the one after it.
        if (count++ % 2 === 0) kept = bytes.slice();
        else {
          await server.send(kept!, from);
          await server.send(bytes, from);
        }
      }
    } catch { /* closed */ }
  })();
  const aim = { address: { host: "127.0.0.1", port }, size: 64, verify: true, timeout: 100 };
  const change = { connections: 1, requests: 10, duration: 60_000, timeout: 200 };
  const { failures, answers } = await new Attack(udpConnections(aim), { ...options, ...change })
    .run();
  // All but the lost are right: a machine that is loaded may make more of them late.
  assert.deepEqual(Object.keys(failures), ["lost"]);
  assert(failures.lost! >= 5 && answers + failures.lost! === 10, `${answers} answers`);
  server.close();
  await serving;
});
