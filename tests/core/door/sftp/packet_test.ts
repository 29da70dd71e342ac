import assert from "node:assert/strict";
import fc from "fast-check";
import { dataPacket, PacketReader, PacketWriter, Type } from "../../../../core/door/sftp/packet.ts";
import { BargeError } from "../../../../core/error.ts";

/** The fields behind the id. */
function fields(packet: Uint8Array): PacketReader {
  assert.equal(new DataView(packet.buffer, packet.byteOffset).getUint32(0), packet.length - 4);
  const reader = new PacketReader(packet.subarray(4));
  reader.byte();
  reader.int();
  return reader;
}

const uint = fc.nat({ max: 0xffffffff });
const attrs = fc.record({
  size: fc.maxSafeNat(),
  mode: uint,
  mtime: uint,
  atime: uint,
  uid: uint,
  gid: uint,
}, { noNullPrototype: true });

Deno.test("written fields are read back", () => {
  fc.assert(fc.property(
    fc.tuple(uint, fc.maxSafeNat(), fc.string({ unit: "grapheme" }), fc.uint8Array(), attrs),
    ([int, long, text, bytes, attrs]) => {
      const packet = new PacketWriter(Type.OPEN, 7, 16);
      packet.int(int).long(long).text(text).bytes(bytes).attrs(attrs).byte(1).raw(bytes);
      const reader = fields(packet.done());
      assert.deepEqual([reader.int(), reader.long(), reader.text()], [int, long, text]);
      assert.deepEqual(reader.bytes().slice(), bytes);
      assert.deepEqual({ ...reader.attrs() }, attrs);
      assert.equal(reader.byte(), 1);
      assert.deepEqual(reader.rest().slice(), bytes);
      assert.equal(reader.left, 0);
    },
  ));
});

Deno.test("missing attributes, and those of later versions, are ignored", () => {
  const none = { uid: undefined, gid: undefined, atime: undefined, mtime: undefined };
  const empty = { size: undefined, mode: undefined, ...none };
  assert.deepEqual(fields(new PacketWriter(Type.STAT, 1).attrs({}).done()).attrs(), empty);
  const extended = new PacketWriter(Type.STAT, 1).int(0x80000004).int(0o644).int(1);
  const reader = fields(extended.text("acl@example").text("value").int(42).done());
  assert.deepEqual(reader.attrs(), { ...empty, mode: 0o644 });
  assert.equal(reader.int(), 42);
});

Deno.test("a packet that is truncated anywhere is a protocol error", () => {
  const whole = new PacketWriter(Type.OPEN, 1).text("/home/f").int(26).attrs({ size: 5 }).done();
  for (let length = 9; length < whole.length; length++) {
    const reader = new PacketReader(whole.subarray(9, length));
    assert.throws(() => [reader.text(), reader.int(), reader.attrs()], (error) => {
      return error instanceof BargeError && error.kind === "protocol";
    }, String(length));
  }
});

Deno.test("a number beyond 2^53 is refused, not rounded", () => {
  const bytes = (high: number) => {
    const packet = new Uint8Array(8).fill(0xff);
    new DataView(packet.buffer).setUint32(0, high);
    return new PacketReader(packet);
  };
  assert.equal(bytes(0x1fffff).long(), Number.MAX_SAFE_INTEGER);
  assert.throws(() => bytes(0x200000).long(), /that long/);
});

Deno.test("a data packet has the length of the bytes in its room", () => {
  const packet = dataPacket(9, 100);
  packet.room.set([1, 2, 3]);
  assert.deepEqual(fields(packet.done(3)).bytes().slice(), Uint8Array.of(1, 2, 3));
});
