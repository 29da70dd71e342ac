/** Handles: what they hold, and what is refused in their place. */
import assert from "node:assert/strict";
import * as sync from "../../../core/sync/mod.ts";

const { Barrier, BoundedSemaphore, Condition, Event, LifoQueue, Lock } = sync;
const { PriorityQueue, Queue, RLock, Semaphore, Timer } = sync;
const primitives = [
  new Lock(),
  new RLock(),
  new Semaphore(3),
  new BoundedSemaphore(3),
  new Event(),
  new Condition(),
  new Condition(new Lock()),
  new Barrier(3),
  new Timer(1, () => {}),
  new Queue(),
  new LifoQueue(),
  new PriorityQueue(),
];

// deno-lint-ignore no-explicit-any -- what is refused has no type
const attach = (primitive: object, handle: any): any =>
  (primitive.constructor as unknown as { attach(handle: unknown): unknown }).attach(handle);

for (const primitive of primitives) {
  const { name } = primitive.constructor;

  Deno.test(`${name}: attach makes the same primitive from a handle`, () => {
    const { handle } = primitive;
    assert.equal(handle.kind, name);
    assert.ok(handle.memory instanceof SharedArrayBuffer);
    const attached = attach(primitive, structuredClone(handle));
    assert.equal(attached.constructor, primitive.constructor);
    assert.equal(attached.handle.memory.byteLength, handle.memory.byteLength);
  });

  Deno.test(`${name}: handles of other kinds and sizes are refused`, () => {
    for (const other of primitives) {
      if (other.constructor === primitive.constructor) continue;
      const { kind, memory } = other.handle;
      assert.throws(() => attach(primitive, other.handle), TypeError, kind);
      if (kind === "Timer" || name === "Timer") continue; // whose memory is an event's
      assert.throws(() => attach(primitive, { ...primitive.handle, memory }), TypeError, kind);
    }
    const { handle } = primitive;
    const bytes = new Uint8Array(handle.memory);
    for (const size of [0, 3, 8, bytes.length - 4, bytes.length + 4]) {
      const memory = new SharedArrayBuffer(size);
      new Uint8Array(memory).set(bytes.subarray(0, Math.min(size, bytes.length)));
      assert.throws(() => attach(primitive, { ...handle, memory }), TypeError, `${size} bytes`);
    }
    const memory = new ArrayBuffer(bytes.length);
    for (const wrong of [undefined, null, {}, 5, "Lock", { kind: name }, { ...handle, memory }]) {
      assert.throws(() => attach(primitive, wrong), TypeError);
    }
  });
}

Deno.test("Condition: a handle without a valid handle of its lock is refused", () => {
  const { kind, memory } = new Condition().handle;
  for (const lock of [undefined, new Event().handle, {}]) {
    assert.throws(() => attach(new Condition(), { kind, memory, lock }), TypeError);
  }
});

Deno.test("an attached primitive shares the state of the original", () => {
  const semaphore = new Semaphore(3);
  const other = Semaphore.attach(structuredClone(semaphore.handle));
  other.acquire();
  assert.equal(semaphore.value, 2);
  const bounded = BoundedSemaphore.attach(new BoundedSemaphore(3).handle);
  assert.throws(() => bounded.release(), RangeError);
  const barrier = Barrier.attach(new Barrier(7).handle);
  assert.equal(barrier.parties, 7);
  const queue = new Queue<string>(2);
  queue.put("kept");
  const same = Queue.attach<string>(structuredClone(queue.handle));
  assert.equal(same.maxsize, 2);
  assert.equal(same.get(), "kept");
  assert.equal(queue.empty(), true);
});
