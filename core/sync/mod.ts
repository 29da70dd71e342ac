/**
 * Threads for real: the primitives of Python's `threading` and `queue`, with their meaning, on memory
 * that isolates share. Where Python has a thread, this has an agent: the main program or a worker.
 *
 * - A primitive's `handle` goes through postMessage; `attach` makes it the same primitive there.
 * - What blocks, blocks its isolate: its event loop stands still, also in the main program. The
 *   twins that end in `Async` do not, and keep the isolate alive while they wait.
 * - Times are in seconds; no timeout means to wait for as long as it takes. Where Python raises a
 *   ValueError or OverflowError there is a RangeError, for a RuntimeError an Error. Negative
 *   timeouts are RangeErrors everywhere, but for a lock's -1.
 * - Whoever waits is served in the order of coming, by hand-over: nobody overtakes, a timeout or an
 *   abort loses nothing, and nothing spins. Up to 1024 wait at a primitive (`{ waiters }`).
 * - An isolate that blocks for what one of its own tasks has, or is next to get, waits for itself.
 * - A worker that is terminated keeps what it held; one that waited, or was busy with a primitive,
 *   may take more with it: see monitor.ts. End workers by a shutdown, an Event or a message instead.
 *
 * @module
 */
export { Barrier } from "./barrier.ts";
export type { ActionOptions, BarrierOptions } from "./barrier.ts";
export type { BlockOptions } from "./base_queue.ts";
export { BoundedSemaphore } from "./bounded_semaphore.ts";
export { Condition } from "./condition.ts";
export type { ConditionHandle } from "./condition.ts";
export { BrokenBarrierError, Empty, Full, ShutDown } from "./errors.ts";
export { Event } from "./event.ts";
export type { Handle, Kind } from "./handle.ts";
export type { Priority } from "./key.ts";
export { LifoQueue } from "./lifo_queue.ts";
export { Lock } from "./lock.ts";
export { TIMEOUT_MAX } from "./options.ts";
export type { AcquireOptions, AsyncOptions, RoomOptions, WaitOptions } from "./options.ts";
export { PriorityQueue } from "./priority_queue.ts";
export type { PriorityOptions } from "./priority_queue.ts";
export { Queue } from "./queue.ts";
export type { QueueOptions } from "./queue_memory.ts";
export { RLock } from "./rlock.ts";
export { Semaphore } from "./semaphore.ts";
export { Timer } from "./timer.ts";
