import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { Stream } from "../../../core/net/stream.ts";

/** Two ends of a real connection; the near one as a Stream. */
async function pair(idleTimeoutMs: number): Promise<{ near: Stream; far: Deno.TcpConn }> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [conn, far] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  return { near: new Stream(conn, "peer", idleTimeoutMs), far };
}

function unavailable(pattern: RegExp) {
  return (e: unknown) =>
    e instanceof BargeError && e.kind === "unavailable" && pattern.test(e.toString());
}

const long = 60_000;

Deno.test("a stream passes bytes both ways, and reports the end", async () => {
  const { near, far } = await pair(long);
  using _near = near;
  using _far = far;
  const buffer = new Uint8Array(10);
  await near.write(new Uint8Array([1, 2, 3]));
  assert.equal(await far.read(buffer), 3);
  await far.write(new Uint8Array([4, 5]));
  assert.equal(await near.read(buffer), 2);
  assert.deepEqual([...buffer.subarray(0, 2)], [4, 5]);
  await near.end();
  assert.equal(await far.read(buffer), null);
  await far.closeWrite();
  assert.equal(await near.read(buffer), null);
});

Deno.test("a write of more than the kernel takes at once arrives whole", async () => {
  const { near, far } = await pair(long);
  using _near = near;
  using _far = far;
  const sent = Uint8Array.from({ length: 8 * 1024 * 1024 }, (_, i) => i % 251);
  const got = new Uint8Array(sent.length);
  const [, length] = await Promise.all([
    near.write(sent),
    (async () => {
      let at = 0;
      while (at < got.length) at += await far.read(got.subarray(at)) ?? assert.fail("cut");
      return at;
    })(),
  ]);
  assert.equal(length, sent.length);
  assert.ok(got.every((byte, i) => byte === i % 251));
});

Deno.test("a peer that sends nothing is cut", async () => {
  const { near, far } = await pair(50);
  using _far = far;
  await assert.rejects(near.read(new Uint8Array(1)), unavailable(/^peer sent nothing for /));
  assert.ok(near.closed);
  await assert.rejects(near.read(new Uint8Array(1)), (e) => e === near.closed);
  await assert.rejects(near.write(new Uint8Array(1)), (e) => e === near.closed);
  assert.equal(await far.read(new Uint8Array(1)), null, "the peer sees the end");
});

Deno.test("a peer that reads nothing is cut", async () => {
  const { near, far } = await pair(50);
  using _far = far;
  await assert.rejects(
    near.write(new Uint8Array(64 * 1024 * 1024)),
    unavailable(/^peer read nothing for /),
  );
});

Deno.test("the idle timeout restarts with each byte, and no deadline runs between calls", async () => {
  const { near, far } = await pair(1000);
  using _near = near;
  using _far = far;
  // The sweep is called as by the timer, with other times.
  near.sweep(Infinity);
  assert.equal(near.closed, undefined, "nobody waits");
  const started = performance.now();
  const read = near.read(new Uint8Array(1));
  near.sweep(started + 900);
  assert.equal(near.closed, undefined);
  await far.write(new Uint8Array(1));
  assert.equal(await read, 1);
  near.sweep(Infinity);
  assert.equal(near.closed, undefined);
  const late = near.read(new Uint8Array(1));
  near.sweep(performance.now() + 1001);
  await assert.rejects(late, unavailable(/sent nothing for 1 s/));
});

Deno.test("close ends waiting calls with its reason", async () => {
  const { near, far } = await pair(long);
  using _far = far;
  const reason = new BargeError("interrupted", "enough");
  const reading = assert.rejects(near.read(new Uint8Array(1)), (e) => e === reason);
  const writing = assert.rejects(
    near.write(new Uint8Array(64 * 1024 * 1024)),
    (e) => e === reason,
  );
  near.close(reason);
  near.close();
  await Promise.all([reading, writing]);
  assert.equal(near.closed, reason);
  await near.end();
});

Deno.test("a broken connection is unavailable, and the error names the peer", async () => {
  const { near, far } = await pair(long);
  using _near = near;
  far.close();
  await assert.rejects(
    async () => {
      while (true) await near.write(new Uint8Array(64 * 1024));
    },
    unavailable(/^peer: (broken pipe|connection reset by peer)$/),
  );
});
