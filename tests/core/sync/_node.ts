/**
 * A program for Node 22: its main thread and three worker threads share every primitive of
 * core/sync. It prints `ok`, or ends with an error. Node strips the types, so only erasable syntax
 * may be here.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import * as sync from "../../../core/sync/mod.ts";

const threads = 3;
const rounds = 200;

/** Makes one of each primitive, and the memory that their holders change without any atomics. */
function make() {
  return {
    lock: new sync.Lock().handle,
    rlock: new sync.RLock().handle,
    semaphore: new sync.Semaphore(2).handle,
    bounded: new sync.BoundedSemaphore(2).handle,
    changed: new sync.Condition().handle,
    ready: new sync.Event().handle,
    barrier: new sync.Barrier(threads).handle,
    items: new sync.Queue(4).handle,
    stack: new sync.LifoQueue().handle,
    results: new sync.PriorityQueue().handle,
    counters: new Int32Array(new SharedArrayBuffer(12)),
  };
}

type Shared = ReturnType<typeof make>;

async function work(shared: Shared, number: number): Promise<void> {
  const { counters } = shared;
  const lock = sync.Lock.attach(shared.lock);
  const rlock = sync.RLock.attach(shared.rlock);
  const changed = sync.Condition.attach(shared.changed);
  const semaphore = sync.Semaphore.attach(shared.semaphore);
  const bounded = sync.BoundedSemaphore.attach(shared.bounded);
  assert.equal(await sync.Event.attach(shared.ready).waitAsync({ timeout: 60 }), true);
  sync.Barrier.attach(shared.barrier).wait({ timeout: 60 });
  for (let i = 0; i < rounds; i++) {
    if (i % 2) lock.acquire();
    else await lock.acquireAsync();
    counters[0]!++;
    lock.release();
    const holds = [rlock.hold(), rlock.hold()];
    counters[1]!++;
    for (const hold of holds) hold[Symbol.dispose]();
    semaphore.acquire();
    semaphore.release();
    await bounded.acquireAsync();
    bounded.release();
  }
  const items = sync.Queue.attach<{ n: number; text: string }>(shared.items);
  const results = sync.PriorityQueue.attach<number>(shared.results);
  for (let i = 0; i < rounds; i++) {
    const { n, text } = i % 2 ? items.get() : await items.getAsync();
    assert.equal(text, `item ${n}`);
    results.put(n);
    items.taskDone();
  }
  sync.LifoQueue.attach<number>(shared.stack).put(number);
  changed.acquire();
  counters[2]!++;
  changed.notifyAll();
  changed.release();
}

async function main(): Promise<void> {
  const shared = make();
  const workers = Array.from(
    { length: threads },
    (_, number) => new Worker(new URL(import.meta.url), { workerData: { shared, number } }),
  );
  const ends = workers.map((worker) =>
    new Promise<void>((resolve, reject) => {
      worker.once("error", reject);
      worker.once("message", () => resolve());
    })
  );
  sync.Event.attach(shared.ready).set();
  await Promise.all([...ends, putItems(shared), awaitChanges(shared)]);
  assert.deepEqual([...shared.counters], [threads * rounds, threads * rounds, threads]);
  const results = sync.PriorityQueue.attach<number>(shared.results);
  for (let n = 0; n < threads * rounds; n++) assert.equal(results.getNowait(), n);
  assert.throws(() => results.getNowait(), sync.Empty);
  const stack = sync.LifoQueue.attach<number>(shared.stack);
  assert.deepEqual(Array.from({ length: threads }, () => stack.getNowait()).sort(), [0, 1, 2]);
  await timers();
  await Promise.all(workers.map((worker) => worker.terminate()));
}

async function putItems(shared: Shared): Promise<void> {
  const items = sync.Queue.attach<{ n: number; text: string }>(shared.items);
  for (let n = threads * rounds - 1; n >= 0; n--) await items.putAsync({ n, text: `item ${n}` });
  assert.equal(await items.joinAsync({ timeout: 60 }), true);
}

async function awaitChanges({ changed, counters }: Shared): Promise<void> {
  const condition = sync.Condition.attach(changed);
  await condition.acquireAsync();
  await condition.waitForAsync(() => counters[2] === threads, { timeout: 60 });
  condition.release();
}

/** A timer calls its function; what the function throws is an uncaught exception. */
async function timers(): Promise<void> {
  const uncaught = new Promise((resolve) => process.once("uncaughtException", resolve));
  const timer = new sync.Timer(0.01, () => {
    throw new Error("thrown by the timer's function");
  });
  timer.start();
  assert.equal(await timer.finished.waitAsync({ timeout: 60 }), true);
  assert.equal((await uncaught as Error).message, "thrown by the timer's function");
}

if (isMainThread) {
  await main();
  process.stdout.write("ok\n");
} else {
  await work(workerData.shared, workerData.number);
  parentPort!.postMessage("done");
}
