/**
 * The memory of a queue: that of a Monitor with three queues (getters, putters, joiners), eight
 * words, those of a Store, and the store's blocks after the slots:
 *
 *     0  maxsize      0 or less: any number of items
 *     1  count        items in the queue, including those promised to getters
 *     2  taken        items promised to getters that were granted and have not yet woken
 *     3  coming       items promised a place whose putters were granted and have not yet woken
 *     4  reserved     blocks promised to these putters
 *     5  unfinished   items put, and not yet reported by taskDone
 *     6  shut         1 after a shutdown
 *     7  number       of the next item, in the order of arrival
 */
import { Monitor, type Shape } from "./monitor.ts";
import { count, type RoomOptions } from "./options.ts";
import { Store, storeState } from "./store.ts";

export type QueueKind = "Queue" | "LifoQueue" | "PriorityQueue";

export interface QueueOptions extends RoomOptions {
  /** Memory for the items, in blocks of 64 bytes; each item takes 12 more. Default 1 MiB. */
  readonly bytes?: number;
}

export const MAXSIZE = 0;
export const COUNT = 1;
export const TAKEN = 2;
export const COMING = 3;
export const RESERVED = 4;
export const UNFINISHED = 5;
export const SHUT = 6;
export const NUMBER = 7;
export const ownState = 8;

const defaultBytes = 1 << 20;

/** Returns the memory that a kind of queue needs. */
export function shapeOf<K extends QueueKind>(kind: K): Shape<K> {
  return { kind, queues: 3, state: ownState + storeState };
}

/**
 * Allocates memory for a queue.
 *
 * @throws RangeError if the options or the bound are no counts
 */
export function makeQueue<K extends QueueKind>(
  kind: K,
  maxsize: number,
  { bytes = defaultBytes, waiters }: QueueOptions,
): Monitor<K> {
  checkSize(maxsize);
  const rest = Store.words(count(bytes, "bytes", 1));
  const monitor = Monitor.make(shapeOf(kind), waiters, rest);
  monitor.set(MAXSIZE, maxsize);
  new Store(monitor.words, monitor.state + ownState, monitor.rest).clear();
  return monitor;
}

/** @throws RangeError if it is no bound on a number of items */
export function checkSize(maxsize: number): void {
  count(Math.max(0, maxsize), "maxsize", 0);
}
