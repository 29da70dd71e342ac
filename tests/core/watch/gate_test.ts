/** Places for connections, shared by workers. */
import assert from "node:assert/strict";
import { Gate, type Leave, makeTally } from "../../../core/watch/gate.ts";

const [here, there] = ["192.0.2.1", "2001:db8::1"];

Deno.test("the total is one for all workers; a place is given back once", () => {
  const limits = { connections: 3, perAddress: 0, perAccount: 0 };
  const tally = makeTally(2);
  const [one, two] = [new Gate(limits, 0, tally), new Gate(limits, 1, tally)];
  const leave = one.enter(here);
  assert.ok(leave && two.enter(there) && two.enter("127.0.0.1"));
  assert.equal(one.enter(here), undefined);
  assert.equal(two.enter(there), undefined);
  leave();
  leave();
  assert.ok(two.enter(there));
  assert.equal(one.enter(here), undefined);
});

Deno.test("addresses and accounts are counted separately, and loopback is not", () => {
  const tally = makeTally(2);
  const limits = { connections: 0, perAddress: 2, perAccount: 2 };
  const [one, two] = [new Gate(limits, 0, tally), new Gate(limits, 1, tally)];
  const places: (Leave | undefined)[] = [one.enter(here), two.enter(here)];
  assert.equal(one.enter(here), undefined);
  assert.equal(one.enter("::ffff:192.0.2.1"), undefined, "the same in IPv6's clothes");
  assert.ok(one.enter(there));
  assert.ok(one.enter("2001:db8::2"));
  assert.equal(one.enter("2001:db8::3"), undefined, "the same network");
  for (let i = 0; i < 10; i++) assert.ok(two.enter("::1"));
  assert.ok(one.login(7) && two.login(7));
  assert.equal(two.login(7), undefined);
  assert.ok(two.login(8));
  places.forEach((leave) => leave!());
  assert.ok(one.enter(here) && one.enter(here));
  assert.equal(two.enter(here), undefined);
});

Deno.test("the connections of a dead worker are not counted", () => {
  const limits = { connections: 2, perAddress: 0, perAccount: 1 };
  const tally = makeTally(2);
  const [one, dead] = [new Gate(limits, 0, tally), new Gate(limits, 1, tally)];
  assert.ok(one.enter(here) && dead.enter(here) && dead.login(1));
  assert.equal(one.enter(here), undefined);
  new Gate(limits, 1, tally);
  assert.ok(one.enter(here) && one.login(1));
  assert.equal(one.enter(here), undefined);
});

Deno.test("share returns this worker's part of an account's connections", () => {
  const limits = { connections: 0, perAddress: 0, perAccount: 0 };
  const tally = makeTally(2);
  const [one, two] = [new Gate(limits, 0, tally), new Gate(limits, 1, tally)];
  assert.equal(one.share(1), 0);
  one.login(1);
  assert.equal(one.share(1), 1);
  two.login(1);
  two.login(1);
  two.login(1);
  assert.equal(one.share(1), 0.25);
  assert.equal(two.share(1), 0.75);
});
