import assert from "node:assert/strict";
import { abandon, borrow, giveBack, minBufferBytes } from "../../../core/disk/buffer_pool.ts";

const mebibyte = 2 ** 20;
const total = (buffers: readonly Uint8Array[]) =>
  buffers.reduce((sum, { length }) => sum + length, 0);

Deno.test("few transfers get large buffers, and 200 of them share 64 MiB", () => {
  const few = [borrow(), borrow()];
  assert.deepEqual(few.map(({ length }) => length), [mebibyte, mebibyte]);
  const many = Array.from({ length: 398 }, () => borrow());
  assert.ok(total([...few, ...many]) < 64 * mebibyte);
  assert.equal(many.at(-1)!.length, minBufferBytes);
  for (const buffer of [...few, ...many]) giveBack(buffer);
});

Deno.test("an abandoned buffer is never lent again, and its bytes return to the budget", () => {
  const abandoned = new Set<Uint8Array>();
  for (let i = 0; i < 1000; i++) {
    const buffer = borrow();
    assert.ok(!abandoned.has(buffer));
    abandoned.add(buffer);
    abandon(buffer);
  }
  const buffer = borrow();
  assert.equal(buffer.length, mebibyte);
  giveBack(buffer);
});
