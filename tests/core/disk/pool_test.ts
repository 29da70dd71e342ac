import assert from "node:assert/strict";
import { abandon, borrow, giveBack, least } from "../../../core/disk/pool.ts";

const mebibyte = 2 ** 20;
const total = (buffers: readonly Uint8Array[]) =>
  buffers.reduce((sum, { length }) => sum + length, 0);

Deno.test("few transfers get large buffers, and 200 of them share 64 MiB", () => {
  const few = [borrow(), borrow()];
  assert.deepEqual(few.map(({ length }) => length), [mebibyte, mebibyte]);
  const many = Array.from({ length: 398 }, () => borrow());
  assert.ok(total([...few, ...many]) < 64 * mebibyte);
  assert.equal(many.at(-1)!.length, least);
  for (const buffer of [...few, ...many]) giveBack(buffer);
});

Deno.test("a buffer that is given back is used again, and one that is abandoned is not", () => {
  const first = borrow();
  giveBack(first);
  const second = borrow();
  assert.equal(second, first);
  abandon(second);
  const third = borrow();
  assert.notEqual(third, second);
  giveBack(third);
});

Deno.test("what was lost is made up for: after a thousand abandoned ones, they are as large", () => {
  for (let i = 0; i < 1000; i++) abandon(borrow());
  const buffer = borrow();
  assert.equal(buffer.length, mebibyte);
  giveBack(buffer);
});

Deno.test("those of one size are kept for the next, also where others were given back before", () => {
  for (const size of [mebibyte, least, mebibyte]) {
    const load = Array.from({ length: 20 }, () => borrow(size));
    for (const buffer of load) giveBack(buffer);
    const first = borrow(size);
    assert.ok(load.includes(first), `${size}`);
    giveBack(first);
  }
});
