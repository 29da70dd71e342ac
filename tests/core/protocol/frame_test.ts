import assert from "node:assert/strict";
import fc from "fast-check";
import { BargeError } from "../../../core/error.ts";
import {
  Decoder,
  encodeChunkHead,
  encodeFrame,
  type FrameEvent,
  maxFrame,
} from "../../../core/protocol/frame.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A frame and its body, as the sender has them. */
type Message = {
  value: Record<string, unknown>;
  body: "none" | "raw" | "chunked";
  pieces: Bytes[];
};

const bytes = (most: number) =>
  fc.uint8Array({ maxLength: most }).map((b) => new Uint8Array(b) as Bytes);
const message: fc.Arbitrary<Message> = fc.record({
  value: fc.dictionary(fc.string({ unit: "binary" }).filter((k) => k !== "body"), fc.jsonValue())
    .map((value) => JSON.parse(JSON.stringify(value))),
  body: fc.constantFrom("none" as const, "raw" as const, "chunked" as const),
  pieces: fc.array(bytes(40), { maxLength: 4 }),
});

function join(pieces: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(pieces.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function encode({ value, body, pieces }: Message): Bytes {
  if (body === "none") return encodeFrame(value);
  if (body === "raw") {
    const raw = join(pieces);
    return join([encodeFrame({ ...value, body: raw.length }), raw]);
  }
  const chunks = pieces.filter((p) => p.length > 0).flatMap((p) => [encodeChunkHead(p.length), p]);
  return join([encodeFrame({ ...value, body: "chunked" }), ...chunks, encodeChunkHead(0)]);
}

/** Returns copies of all events that the decoder makes of these pieces. */
function decode(pieces: readonly Bytes[], decoder = new Decoder()): FrameEvent[] {
  const events: FrameEvent[] = [];
  for (const piece of pieces) {
    // A copy that is overwritten afterwards: later events must not depend on earlier input.
    const pushed = piece.slice();
    decoder.push(pushed);
    for (let event = decoder.next(); event; event = decoder.next()) {
      events.push(event.type === "data" ? { type: "data", bytes: event.bytes.slice() } : event);
    }
    pushed.fill(0xee);
  }
  return events;
}

/** Joins adjacent pieces of data. */
function joined(events: readonly FrameEvent[]): FrameEvent[] {
  const out: FrameEvent[] = [];
  for (const event of events) {
    const last = out.at(-1);
    if (event.type === "data" && last?.type === "data") {
      out[out.length - 1] = { type: "data", bytes: join([last.bytes, event.bytes]) };
    } else out.push(event);
  }
  return out;
}

function cut(whole: Bytes, at: readonly number[]): Bytes[] {
  const places = [...new Set(at.map((n) => n % (whole.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => whole.subarray(from, places[i] ?? whole.length));
}

function fails(input: Bytes, pattern: RegExp): void {
  const decoder = new Decoder();
  decoder.push(input);
  assert.throws(
    () => decoder.next(),
    (e) => e instanceof BargeError && e.kind === "protocol" && pattern.test(e.message),
  );
}

Deno.test("decode(encode(x)) = x", () => {
  fc.assert(fc.property(fc.array(message, { maxLength: 4 }), (messages) => {
    const expected = messages.flatMap(({ value, body, pieces }): FrameEvent[] => {
      if (body === "none") return [{ type: "frame", value, body: undefined }];
      const data = join(pieces);
      const announced = body === "raw" ? data.length : body;
      return [
        { type: "frame", value: { ...value, body: announced }, body: announced },
        ...(data.length > 0 ? [{ type: "data", bytes: data } as const] : []),
        { type: "end" },
      ];
    });
    const decoder = new Decoder();
    assert.deepEqual(joined(decode([join(messages.map(encode))], decoder)), expected);
    assert.ok(decoder.idle);
  }));
});

Deno.test("any cut of the stream gives the same events", () => {
  fc.assert(fc.property(
    fc.array(message, { minLength: 1, maxLength: 3 }),
    fc.array(fc.nat(), { maxLength: 30 }),
    (messages, at) => {
      const whole = join(messages.map(encode));
      assert.deepEqual(joined(decode(cut(whole, at))), joined(decode([whole])));
    },
  ));
});

Deno.test("one byte at a time gives the same events", () => {
  fc.assert(fc.property(message, (m) => {
    const whole = encode(m);
    const single = Array.from(whole, (byte) => new Uint8Array([byte]));
    assert.deepEqual(joined(decode(single)), joined(decode([whole])));
  }));
});

Deno.test("for any input the decoder throws only BargeErrors", () => {
  const spoiled = fc.tuple(message.map(encode), fc.nat(), fc.nat(255)).map(([whole, at, byte]) => {
    const copy = whole.slice();
    copy[at % copy.length] = byte;
    return copy as Bytes;
  });
  const framed = bytes(60).map((b) => join([encodeChunkHead(b.length), b]));
  fc.assert(
    fc.property(fc.array(fc.oneof(bytes(80), framed, spoiled), { maxLength: 6 }), (input) => {
      const decoder = new Decoder();
      for (const piece of input) {
        // More input after a failure, as from a careless caller.
        try {
          decode([piece], decoder);
        } catch (e) {
          assert.ok(e instanceof BargeError, String(e));
          assert.equal(e.kind, "protocol");
        }
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("a decoder that failed stays failed", () => {
  const decoder = new Decoder();
  decoder.push(new Uint8Array(4));
  assert.throws(() => decoder.next(), BargeError);
  decoder.push(encodeFrame({ verb: "ping" }));
  decoder.push(encodeFrame({ verb: "ping" }));
  assert.throws(() => decoder.next(), BargeError);
});

Deno.test("a length over the limit is refused before its bytes arrive", () => {
  fails(encodeChunkHead(maxFrame + 1), /65537/);
  fails(encodeChunkHead(0xffffffff), /4294967295/);
  fails(encodeChunkHead(0), /frame of 0 bytes/);
  const starts: readonly [start: string, protocol: string][] = [
    ["HTTP/1.1 400", "HTTP"],
    ["SSH-2.0-x", "SSH"],
    ["220 ready", "FTP"],
  ];
  for (const [start, protocol] of starts) {
    fails(new TextEncoder().encode(start), new RegExp(`that port speaks ${protocol}`));
  }
});

Deno.test("a decoder holds no more than one frame, and nothing of a body", () => {
  const decoder = new Decoder();
  const before = Deno.memoryUsage();
  const piece = new Uint8Array(64 * 1024);
  decoder.push(encodeFrame({ body: 1024 * 1024 * 1024 }));
  assert.equal(decoder.next()?.type, "frame");
  for (let i = 0; i < 16 * 1024; i++) {
    decoder.push(piece);
    const event = decoder.next();
    assert.ok(event?.type === "data" && event.bytes.buffer === piece.buffer, "a view, not a copy");
  }
  assert.equal(decoder.next()?.type, "end");
  const after = Deno.memoryUsage();
  assert.ok(after.external - before.external < 8 * 1024 * 1024);
});

Deno.test("a frame of the largest size passes; one byte more does not encode", () => {
  const text = "x".repeat(maxFrame - '{"t":""}'.length);
  const [event] = decode(cut(encodeFrame({ t: text }), [3, 5, 40_000]));
  assert.ok(event.type === "frame" && event.value.t === text);
  assert.throws(
    () => encodeFrame({ t: text + "x" }),
    (e) => e instanceof BargeError && e.kind === "protocol",
  );
});

Deno.test("idle is true only between frames", () => {
  const decoder = new Decoder();
  assert.ok(decoder.idle);
  const frame = encodeFrame({ body: 2 });
  for (const byte of frame) {
    decode([new Uint8Array([byte])], decoder);
    assert.ok(!decoder.idle);
  }
  decode([new Uint8Array(1)], decoder);
  assert.ok(!decoder.idle);
  decode([new Uint8Array(1)], decoder);
  assert.ok(decoder.idle);
});

Deno.test("a push before the last input was drained throws a RangeError", () => {
  const decoder = new Decoder();
  decoder.push(encodeFrame({}));
  assert.throws(() => decoder.push(encodeFrame({})), RangeError);
});

Deno.test("a chunk's head holds 0 to 2^32-1", () => {
  assert.deepEqual([...encodeChunkHead(0xffffffff)], [255, 255, 255, 255]);
  for (const length of [-1, 1.5, NaN, 2 ** 32]) {
    assert.throws(() => encodeChunkHead(length), RangeError);
  }
});

Deno.test("a field named __proto__ stays a field", () => {
  const [event] = decode([
    join([encodeChunkHead(24), new TextEncoder().encode('{"__proto__":{"body":5}}')]),
  ]);
  assert.ok(event.type === "frame" && event.body === undefined);
});
