/**
 * Locks and queues across threads: the primitives of Python's `threading` and `queue`, with their
 * meaning, on shared memory, for Deno's workers and Node's worker threads. A thread of Python
 * corresponds to an agent here: the main program or a worker.
 *
 * - A primitive's `handle` is sent by postMessage; `attach` makes the same primitive from it.
 * - A blocking method blocks the event loop of its isolate, also in the main program. The methods
 *   that end in `Async` do not, and keep the isolate alive while they wait.
 * - Times are in seconds; without a timeout a wait has no limit. Python's ValueError and
 *   OverflowError are a RangeError here, its RuntimeError is an Error. A negative timeout is a
 *   RangeError, except for a lock's -1.
 * - Waiters are served in the order of their arrival. No later caller overtakes them, a timeout or
 *   an abort loses nothing, and no wait spins. At most 1024 agents wait at a primitive, or
 *   as many as the option `waiters` allows.
 * - An isolate deadlocks if it blocks for a lock that one of its own tasks holds or gets next.
 * - A terminated worker does not release what it held. One that waited, or was using a primitive,
 *   may make that unusable: see monitor.ts. End workers by a shutdown, an Event or a message
 *   instead.
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
export { waiting } from "./waiting.ts";
