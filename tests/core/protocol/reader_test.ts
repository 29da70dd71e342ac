import assert from "node:assert/strict";
import fc from "fast-check";
import { BargeError } from "../../../core/error.ts";
import { minBufferBytes } from "../../../core/disk/buffer_pool.ts";
import { encodeChunkHead, encodeFrame } from "../../../core/protocol/frame.ts";
import { FrameReader, type Source } from "../../../core/protocol/reader.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A source that limits the bytes of each read, and records the sizes of the buffers. */
class Pieces implements Source {
  readonly buffers: number[] = [];
  #at = 0;
  constructor(readonly bytes: Bytes, readonly sizes: readonly number[] = [Infinity]) {}

  read(into: Uint8Array): Promise<number | null> {
    const turn = this.buffers.push(into.length) - 1;
    const size = Math.min(
      into.length,
      this.sizes[turn % this.sizes.length],
      this.bytes.length - this.#at,
    );
    if (size === 0) return Promise.resolve(null);
    into.set(this.bytes.subarray(this.#at, this.#at + size));
    this.#at += size;
    return Promise.resolve(size);
  }
}

function join(...pieces: Uint8Array[]): Bytes {
  const whole = new Uint8Array(pieces.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Returns bytes that differ by position. */
function pattern(length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
}

async function drain(reader: FrameReader): Promise<Bytes> {
  const pieces: Bytes[] = [];
  for await (const piece of reader.body()) pieces.push(piece.slice());
  return join(...pieces);
}

function kind(expected: string) {
  return (e: unknown) => e instanceof BargeError && e.kind === expected;
}

const ping = encodeFrame({ verb: "ping" });
const trailer = encodeFrame({ sha256: null });

Deno.test("frames and bodies arrive as they were sent, for any sizes of reads", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 });
  await fc.assert(fc.asyncProperty(sizes, fc.nat(20_000), async (sizes, length) => {
    const data = pattern(length);
    const half = length >> 1;
    const chunks = [data.subarray(0, half), data.subarray(half)].filter((c) => c.length > 0)
      .flatMap((c) => [encodeChunkHead(c.length), c]);
    const raw = [encodeFrame({ body: length }), data, trailer];
    const chunked = [encodeFrame({ body: "chunked" }), ...chunks, encodeChunkHead(0), trailer];
    using reader = new FrameReader(new Pieces(join(ping, ...raw, ...chunked, ping), sizes));
    assert.deepEqual((await reader.frame())?.value, { verb: "ping" });
    for (const body of [length, "chunked"] as const) {
      assert.deepEqual(await reader.frame(), { type: "frame", value: { body }, body });
      assert.deepEqual(await drain(reader), data);
      assert.deepEqual((await reader.frame())?.value, { sha256: null });
    }
    assert.deepEqual((await reader.frame())?.value, { verb: "ping" });
    assert.equal(await reader.frame(), null);
  }));
});

Deno.test("a piece stays valid while the next one is read, in small buffers and large", async () => {
  for (
    const sizes of [[1], [300], [512], [511, 512, 1], [2048], [100_000], [minBufferBytes], [
      3,
      9000,
      50,
    ]]
  ) {
    const data = pattern(300_000);
    using reader = new FrameReader(
      new Pieces(join(encodeFrame({ body: data.length }), data, trailer), sizes),
    );
    await reader.frame();
    let at = 0;
    let last: Bytes | undefined;
    const check = () => {
      if (!last) return;
      assert.ok(
        same(last, data.subarray(at, at + last.length)),
        `reads of ${sizes}: the piece at ${at} was overwritten`,
      );
      at += last.length;
    };
    for await (const piece of reader.body()) {
      check(); // only now, after the next one was read
      last = piece;
    }
    check();
    assert.equal(at, data.length);
  }
});

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

Deno.test("buffers grow with the input, and shrink between frames", async () => {
  const data = pattern(600_000);
  const source = new Pieces(
    join(ping, encodeFrame({ body: data.length }), data, trailer, ping),
    [ping.length, 512, 600_000, 600_000, 600_000, 1],
  );
  using reader = new FrameReader(source);
  await reader.frame();
  await reader.frame();
  await drain(reader);
  assert.deepEqual(source.buffers.slice(0, 2), [512, 512]);
  assert.ok(source.buffers[2] >= minBufferBytes, `${source.buffers}`);
  while (await reader.frame()) { /* to the end */ }
  assert.equal(source.buffers.at(-1), 512);
});

Deno.test("a reader between frames holds one small buffer", async () => {
  const given: ArrayBufferLike[] = [];
  const data = pattern(300);
  const pieces = new Pieces(
    join(ping, ping, encodeFrame({ body: data.length }), data, ping),
    [ping.length, ping.length, 100],
  );
  using reader = new FrameReader({
    read(into) {
      if (reader.idle) given.push(into.buffer);
      return pieces.read(into);
    },
  });
  let frame = await reader.frame();
  while (frame) {
    if (frame.body) await drain(reader);
    frame = await reader.frame();
  }
  assert.ok(given.length > 3);
  for (const buffer of given) assert.equal(buffer, given[0]);
  assert.equal(given[0].byteLength, 512);
});

Deno.test("a stream's end is null between frames, unavailable inside one", async () => {
  using between = new FrameReader(new Pieces(ping));
  await between.frame();
  assert.equal(await between.frame(), null);
  assert.equal(await between.frame(), null);
  for (let cut = 1; cut < ping.length; cut++) {
    using inside = new FrameReader(new Pieces(ping.slice(0, cut)));
    await assert.rejects(inside.frame(), kind("unavailable"), `cut after ${cut} bytes`);
  }
});

Deno.test("a stream's end inside a body is unavailable at any byte", async () => {
  const raw = join(encodeFrame({ body: 5 }), pattern(5));
  const chunked = join(
    encodeFrame({ body: "chunked" }),
    encodeChunkHead(5),
    pattern(5),
    encodeChunkHead(0),
  );
  for (const [whole, head] of [[raw, raw.length - 5], [chunked, chunked.length - 13]] as const) {
    for (let cut = head; cut < whole.length; cut++) {
      using reader = new FrameReader(new Pieces(whole.slice(0, cut)));
      await reader.frame();
      await assert.rejects(reader.skip(), kind("unavailable"), `cut after ${cut} bytes`);
    }
  }
});

Deno.test("an unread body is a protocol error", async () => {
  for (const body of [0, 3, "chunked"] as const) {
    const bytes = join(encodeFrame({ body }), pattern(typeof body === "number" ? body : 0));
    using reader = new FrameReader(new Pieces(join(bytes, encodeChunkHead(0), ping)));
    await reader.frame();
    await assert.rejects(reader.frame(), kind("protocol"));
  }
});

Deno.test("skip stops before the next frame, after an empty body as well", async () => {
  using reader = new FrameReader(
    new Pieces(join(encodeFrame({ body: 0 }), encodeFrame({ body: 9 }), pattern(9), ping), [5]),
  );
  await reader.frame();
  await reader.skip();
  await reader.frame();
  await reader.skip();
  assert.deepEqual((await reader.frame())?.value, { verb: "ping" });
});
