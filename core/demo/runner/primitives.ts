/** The primitives of a lesson with their labels, and their transfer to other workers. */
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  type ConditionHandle,
  Event,
  type Handle,
  type Kind,
  LifoQueue,
  Lock,
  PriorityQueue,
  Queue,
  RLock,
  Semaphore,
  waiting,
} from "../../sync/mod.ts";

export type AnyQueue = Queue | LifoQueue | PriorityQueue<number>;
export type Acquirable = Lock | RLock | Semaphore | BoundedSemaphore;
export type Primitive = Acquirable | Event | Condition | Barrier | AnyQueue;

/** A primitive with the name that pictures show. */
export interface Labeled<P extends Primitive = Primitive> {
  readonly label: string;
  readonly primitive: P;
}

/** The primitives of a thread, by the names that its code uses. */
export type Primitives = Readonly<Record<string, Labeled>>;

type AnyHandle = Handle<Kind> | ConditionHandle;

/** Primitives in a form that can be posted to a worker. */
export type PrimitiveHandles = Readonly<
  Record<string, { readonly label: string; readonly handle: AnyHandle }>
>;

export function toHandles(primitives: Primitives): PrimitiveHandles {
  return mapValues(primitives, ({ label, primitive }) => ({ label, handle: primitive.handle }));
}

export function fromHandles(handles: PrimitiveHandles): Primitives {
  return mapValues(handles, ({ label, handle }) => ({ label, primitive: attach(handle) }));
}

/**
 * Wakes all waiters of a primitive, after the last use of it. The platform ends a terminated worker
 * only once it wakes, so this lets workers end that were terminated while they waited.
 */
export function wakeWaiters(primitive: Primitive): void {
  if (primitive instanceof Event) primitive.set();
  else if (primitive instanceof Barrier) primitive.abort();
  else if (primitive instanceof Condition) {
    if (!primitive.acquire({ blocking: false })) return;
    primitive.notifyAll();
    primitive.release();
  } else if (isQueue(primitive)) primitive.shutdown(true);
  else if (!(primitive instanceof RLock)) {
    while (waiting(primitive.handle) > 0) primitive.release();
  }
}

function isQueue(primitive: Primitive): primitive is AnyQueue {
  return primitive instanceof Queue || primitive instanceof LifoQueue ||
    primitive instanceof PriorityQueue;
}

function attach(handle: AnyHandle): Primitive {
  const attachOne = attachers[handle.kind as keyof typeof attachers];
  if (attachOne === undefined) throw new TypeError(`a ${handle.kind} cannot go to a worker`);
  return attachOne(handle as never);
}

const attachers = {
  Lock: (handle: Handle<"Lock">) => Lock.attach(handle),
  RLock: (handle: Handle<"RLock">) => RLock.attach(handle),
  Semaphore: (handle: Handle<"Semaphore">) => Semaphore.attach(handle),
  BoundedSemaphore: (handle: Handle<"BoundedSemaphore">) => BoundedSemaphore.attach(handle),
  Event: (handle: Handle<"Event">) => Event.attach(handle),
  Condition: (handle: ConditionHandle) => Condition.attach(handle),
  Barrier: (handle: Handle<"Barrier">) => Barrier.attach(handle),
  Queue: (handle: Handle<"Queue">) => Queue.attach(handle),
  LifoQueue: (handle: Handle<"LifoQueue">) => LifoQueue.attach(handle),
  PriorityQueue: (handle: Handle<"PriorityQueue">) => PriorityQueue.attach<number>(handle),
};

function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
