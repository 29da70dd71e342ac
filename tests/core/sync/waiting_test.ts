/** Who waits, as seen from outside, at each kind of primitive. */
import assert from "node:assert/strict";
import * as sync from "../../../core/sync/mod.ts";

Deno.test("waiting returns the number of waiters of each kind of primitive", async () => {
  const lock = new sync.Lock();
  const condition = new sync.Condition(lock);
  type Row = readonly [sync.Handle<sync.Kind>, (signal: AbortSignal) => Promise<unknown>];
  const waits: readonly Row[] = [
    ...[new sync.Lock(), new sync.Semaphore(1), new sync.BoundedSemaphore(1)].map((it) => {
      it.acquire();
      return [it.handle, (signal: AbortSignal) => it.acquireAsync({ signal })] as const;
    }),
    ...[new sync.Event(), new sync.Barrier(3), new sync.Timer(9).finished].map((it) =>
      [it.handle, (signal: AbortSignal) => it.waitAsync({ signal })] as const
    ),
    ...[new sync.Queue(), new sync.LifoQueue(), new sync.PriorityQueue()].map((it) =>
      [it.handle, (signal: AbortSignal) => it.getAsync({ signal })] as const
    ),
    [condition.handle, async (signal: AbortSignal) => {
      using _ = await lock.holdAsync();
      await condition.waitAsync({ signal });
    }],
  ];
  for (const [handle, wait] of waits) {
    assert.equal(sync.waiting(handle), 0, handle.kind);
    const stop = new AbortController();
    const waiting = wait(stop.signal);
    const refused = assert.rejects(waiting, { name: "AbortError" }, handle.kind);
    while (sync.waiting(handle) === 0) await Promise.resolve();
    assert.equal(sync.waiting(handle), 1, handle.kind);
    stop.abort();
    await refused;
    assert.equal(sync.waiting(handle), 0, handle.kind);
  }
});

Deno.test("memory of no primitive is refused", () => {
  const { memory } = new sync.Lock().handle;
  assert.throws(() => sync.waiting({ kind: "Event", memory }), TypeError);
});
