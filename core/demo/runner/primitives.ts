/** The primitives that a lesson plays with, by name, and their way into other isolates. */
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

/** A primitive with the name that pictures give it. */
export interface Prop<P extends Primitive = Primitive> {
  readonly label: string;
  readonly it: P;
}

export type AnyQueue = Queue | LifoQueue | PriorityQueue<number>;
/** What can be acquired and released. */
export type Permit = Lock | RLock | Semaphore | BoundedSemaphore;
export type Primitive = Permit | Event | Condition | Barrier | AnyQueue;

/** Those that a role uses, under the names that it calls them by. */
export type Props = Readonly<Record<string, Prop>>;

type AnyHandle = Handle<Kind> | ConditionHandle;

/** Props on their way to another isolate. */
export type Packed = Readonly<
  Record<string, { readonly label: string; readonly handle: AnyHandle }>
>;

/** Gives a primitive its name. */
export function prop<P extends Primitive>(label: string, it: P): Prop<P> {
  return { label, it };
}

export function pack(props: Props): Packed {
  return mapped(props, ({ label, it }) => ({ label, handle: it.handle }));
}

export function unpack(packed: Packed): Props {
  return mapped(packed, ({ label, handle }) => ({ label, it: attach(handle) }));
}

/**
 * Lets all go on who wait: for an act that is over. The platform does not end a worker that blocks
 * before it has woken, so those that were terminated while they waited need this to be gone.
 */
export function letGo(it: Primitive): void {
  if (it instanceof Event) it.set();
  else if (it instanceof Barrier) it.abort();
  else if (it instanceof Condition) {
    if (!it.acquire({ blocking: false })) return;
    it.notifyAll();
    it.release();
  } else if (isQueue(it)) it.shutdown(true);
  else if (!(it instanceof RLock)) { while (waiting(it.handle) > 0) it.release(); }
}

function isQueue(it: Primitive): it is AnyQueue {
  return it instanceof Queue || it instanceof LifoQueue || it instanceof PriorityQueue;
}

function attach(handle: AnyHandle): Primitive {
  const attaching = attachers[handle.kind as keyof typeof attachers];
  if (attaching === undefined) throw new TypeError(`a ${handle.kind} is no prop`);
  return attaching(handle as never);
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

function mapped<A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
