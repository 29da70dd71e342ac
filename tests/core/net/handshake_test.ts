import assert from "node:assert/strict";
import fc from "fast-check";
import { Handshake, issuedTicket, offeredTicket } from "../../../core/net/handshake.ts";

const number = (value: number, length: number) =>
  Array.from({ length }, (_, i) => Math.floor(value / 256 ** (length - 1 - i)) % 256);
const record = (type: number, bytes: readonly number[]) => [
  ...[type, 3, 3],
  ...number(bytes.length, 2),
  ...bytes,
];
const message = (type: number, body: readonly number[]) => [
  type,
  ...number(body.length, 3),
  ...body,
];
const extension = (type: number, bytes: readonly number[]) => [
  ...number(type, 2),
  ...number(bytes.length, 2),
  ...bytes,
];
const hello = (ticket: readonly number[], session: number) => {
  const extensions = [...extension(23, []), ...extension(35, ticket), ...extension(10, [0, 1, 2])];
  return message(1, [
    ...[3, 3, ...Array(32).fill(7), session, ...Array(session).fill(1)],
    ...[0, 2, 0xc0, 0x2b, 1, 0, ...number(extensions.length, 2), ...extensions],
  ]);
};
const read = (bytes: readonly number[], cuts: readonly number[]) => {
  const handshake = new Handshake();
  const all = Uint8Array.from(bytes);
  const places = [
    0,
    ...cuts.map((cut) => cut % (all.length + 1)).sort((a, b) => a - b),
    all.length,
  ];
  for (let i = 1; i < places.length; i++) {
    handshake.feed(all.subarray(places[i - 1], places[i]));
  }
  return handshake;
};

Deno.test("tickets are found wherever records and reads are split", () => {
  const ticket = fc.array(fc.nat(255), { minLength: 1, maxLength: 300 });
  const cuts = fc.array(fc.nat(2000), { maxLength: 6 });
  fc.assert(
    fc.property(
      ticket,
      fc.nat(32),
      fc.integer({ min: 1, max: 200 }),
      cuts,
      (bytes, id, at, cuts) => {
        const client = hello(bytes, id);
        const two = [...record(22, client.slice(0, at)), ...record(22, client.slice(at))];
        const offered = offeredTicket(read(two, cuts).messages);
        assert.deepEqual(offered, Uint8Array.from(bytes));
        const issue = message(4, [0, 0, 0, 9, ...number(bytes.length, 2), ...bytes]);
        const server = [...record(22, [...message(2, [1, 2, 3]), ...issue]), ...record(20, [1])];
        const told = read([...server, ...record(22, hello([9], 0))], cuts);
        assert.deepEqual(issuedTicket(told.messages), Uint8Array.from(bytes));
        assert.equal(told.ended, true);
        assert.equal(offeredTicket(told.messages), undefined);
      },
    ),
  );
});

Deno.test("random bytes have no ticket, and end the handshake", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
      const handshake = new Handshake();
      handshake.feed(noise);
      handshake.feed(Uint8Array.from(record(22, message(1, Array.from(noise)))));
      offeredTicket(handshake.messages);
      issuedTicket([{ type: 4, body: noise }]);
      offeredTicket([{ type: 1, body: noise }]);
    }),
  );
  const endless = new Handshake();
  for (let i = 0; i < 70 && !endless.ended; i++) {
    endless.feed(Uint8Array.from(i === 0 ? [22, 3, 3, 255, 255] : Array(1024).fill(1)));
  }
  assert.equal(endless.ended, true);
  assert.equal(offeredTicket(read(record(22, hello([], 0)), []).messages), undefined);
});
