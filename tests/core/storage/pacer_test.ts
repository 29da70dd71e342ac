/** The bound on the bytes that a check reads, with a clock of its own. */
import assert from "node:assert/strict";
import { Pacer } from "../../../core/storage/verify/pacer.ts";

/** A clock that a wait moves on. */
class Clock {
  time = 1000;
  now = () => this.time;
  wait = (ms: number) => {
    this.time += ms;
    return Promise.resolve();
  };
}

Deno.test("bytes are admitted at the rate, whatever the sizes of the pieces", async () => {
  for (const piece of [1, 1000, 64_000, 3_000_000]) {
    const clock = new Clock();
    const pacer = new Pacer(1_000_000, undefined, clock);
    const pieces = Math.ceil(9_000_000 / piece);
    for (let i = 0; i < pieces; i++) await pacer.admit(piece);
    await pacer.admit(1);
    assert.equal(Math.round(clock.time - 1000), Math.round(pieces * piece / 1000), `${piece}`);
  }
});

Deno.test("time without reads admits no burst later", async () => {
  const clock = new Clock();
  const pacer = new Pacer(1000, undefined, clock);
  await pacer.admit(1000);
  clock.time += 60_000;
  const before = clock.time;
  for (let i = 0; i < 3; i++) await pacer.admit(1000);
  assert.equal(clock.time - before, 2000);
});

Deno.test("an aborted signal ends a wait", async () => {
  const stop = new AbortController();
  const pacer = new Pacer(1, stop.signal);
  await pacer.admit(1_000_000);
  const waiting = pacer.admit(1);
  stop.abort(new Error("stop"));
  await assert.rejects(waiting, /stop|abort/i);
  await assert.rejects(pacer.admit(1), /stop/);
});
