/** The subject `queue`: passing items on, within an isolate and between two. */
import { Queue } from "../../sync/mod.ts";
import { type Subject, timed } from "./measure.ts";
import type { ToConsumer } from "./queue_worker.ts";

/** The largest number of items in the queue; the producer waits when it is full. */
const maxItems = 1000;

export function queueing({ quick }: { readonly quick: boolean }): Subject {
  const count = quick ? 10_000 : 200_000;
  return {
    name: "queue",
    title: `pass ${count.toLocaleString("en-US")} numbers on, at most ${maxItems} under way`,
    ways: [
      {
        name: "array",
        is: "two tasks of one isolate, and an array",
        run: () => timed(() => byArray(count)),
      },
      {
        name: "postMessage",
        is: "to a worker; without a limit on the items under way",
        run: (signal) =>
          withConsumer({ type: "messages", count }, signal, (post) => byMessages(count, post)),
      },
      {
        name: "Queue",
        is: "barge's own, on shared memory, to a worker",
        run: (signal) => {
          const queue = new Queue<number>(maxItems);
          return withConsumer({ type: "queue", handle: queue.handle, count }, signal, async () => {
            for (let i = 0; i < count; i++) {
              signal.throwIfAborted();
              await queue.putAsync(i);
            }
          });
        },
      },
    ],
  };
}

async function byArray(count: number): Promise<void> {
  const items: number[] = [];
  let wake = () => {};
  const put = async () => {
    for (let i = 0; i < count; i++) {
      while (items.length >= maxItems) await new Promise<void>((resolve) => wake = resolve);
      items.push(i);
    }
  };
  const take = async () => {
    for (let taken = 0; taken < count;) {
      taken += items.splice(0).length;
      wake();
      await undefined;
    }
  };
  await Promise.all([put(), take()]);
}

async function byMessages(count: number, post: (message: ToConsumer) => void): Promise<void> {
  for (let i = 0; i < count; i++) {
    post({ type: "item", item: i });
    // Gives the event loop a turn before all items are posted.
    if (i % maxItems === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** @returns seconds from the start of the worker's reading until it has all items */
async function withConsumer(
  start: ToConsumer,
  signal: AbortSignal,
  put: (post: (message: ToConsumer) => void) => Promise<void>,
): Promise<number> {
  const worker = new Worker(new URL("./queue_worker.ts", import.meta.url), { type: "module" });
  const [ready, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  done.promise.catch(() => {/* reported where it is awaited */});
  const fail = (reason: unknown) => {
    ready.reject(reason);
    done.reject(reason);
  };
  const stop = () => fail(signal.reason);
  worker.onmessage = ({ data }) => (data === "ready" ? ready : done).resolve();
  worker.onerror = (event) => {
    event.preventDefault();
    fail(new Error(event.message));
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    worker.postMessage(start);
    await ready.promise;
    return await timed(async () => {
      await put((message) => worker.postMessage(message));
      await done.promise;
    });
  } finally {
    signal.removeEventListener("abort", stop);
    worker.terminate();
  }
}
