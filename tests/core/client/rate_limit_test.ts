import assert from "node:assert/strict";
import { RateLimit } from "../../../core/client/rate_limit.ts";

/** A clock that moves only by waits. */
function steppingClock() {
  let time = 0;
  return {
    now: () => time,
    wait: (ms: number, signal: AbortSignal) => {
      signal.throwIfAborted();
      time += ms;
      return Promise.resolve();
    },
  };
}
const { signal } = new AbortController();

Deno.test("a rate limit lets a quarter of a second's bytes go at once, and no more", async () => {
  const clock = steppingClock();
  const limit = new RateLimit(() => 1000, clock);
  await limit.take(1000, signal);
  assert.equal(clock.now(), 1000);
  await clock.wait(60_000, signal);
  await limit.take(1250, signal);
  assert.equal(clock.now(), 62_000);
  assert.equal(limit.pieceBytes, 256);
});

Deno.test("a rate that changes holds for bytes that wait already", async () => {
  const clock = steppingClock();
  const limit = new RateLimit(() => clock.now() < 2000 ? 100 : 100_000, clock);
  await limit.take(10_000, signal);
  assert(clock.now() > 2000 && clock.now() < 2200, String(clock.now()));
  const free = new RateLimit(() => Infinity, clock);
  const before = clock.now();
  await free.take(1e12, signal);
  assert.equal(clock.now(), before);
});

Deno.test("a wait for the rate ends when its signal is aborted", async () => {
  const stop = new AbortController();
  const limit = new RateLimit(() => 1);
  const waiting = limit.take(1_000_000, stop.signal);
  stop.abort(new Error("stopped"));
  await assert.rejects(waiting, /stopped/);
});
