/**
 * A worker of sync.ts: receives a job, posts `ready`, runs it on the next message, posts `done`.
 */
import { type Handle, Lock, Queue, RLock, Semaphore } from "../core/sync/mod.ts";

export type Job =
  & { readonly n: number }
  & (
    | { readonly name: "atomics" | "futex"; readonly words: Int32Array }
    | { readonly name: "lock"; readonly handle: Handle<"Lock"> }
    | { readonly name: "rlock"; readonly handle: Handle<"RLock"> }
    | { readonly name: "semaphore"; readonly handle: Handle<"Semaphore"> }
    | { readonly name: "put"; readonly handle: Handle<"Queue">; readonly item: unknown }
    | { readonly name: "get"; readonly handle: Handle<"Queue"> }
    | { readonly name: "post"; readonly port: MessagePort; readonly item: unknown }
    | { readonly name: "receive" | "askPort" | "answerPort"; readonly port: MessagePort }
    | {
      readonly name: "ask" | "answer";
      readonly to: Handle<"Queue">;
      readonly from: Handle<"Queue">;
    }
    | { readonly name: "flip"; readonly words: Int32Array; readonly side: number }
  );

const scope = self as unknown as {
  onmessage: ((event: MessageEvent<Job>) => void) | null;
  postMessage(message: string): void;
};

scope.onmessage = ({ data }) => {
  const work = prepare(data);
  scope.onmessage = async () => {
    await work();
    scope.postMessage("done");
  };
  scope.postMessage("ready");
};

function prepare(job: Job): () => void | Promise<void> {
  switch (job.name) {
    case "lock":
      return acquireAndRelease(Lock.attach(job.handle), job.n);
    case "rlock":
      return acquireAndRelease(RLock.attach(job.handle), job.n);
    case "semaphore":
      return acquireAndRelease(Semaphore.attach(job.handle), job.n);
    case "atomics":
      return acquireAndRelease(new Flag(job.words), job.n);
    case "futex":
      return acquireAndRelease(new Futex(job.words), job.n);
    case "flip":
      return () => flip(job.words, job.side, job.n);
    case "post":
      return () => {
        for (let i = 0; i < job.n; i++) job.port.postMessage(job.item);
      };
    case "receive":
      return () => receive(job.port, job.n, () => {});
    case "askPort":
      return async () => {
        const answers = receive(job.port, job.n, (i) => {
          if (i < job.n) job.port.postMessage(i);
        });
        job.port.postMessage(0);
        await answers;
      };
    case "answerPort":
      return () => receive(job.port, job.n, (i) => job.port.postMessage(i));
    default:
      return prepareQueue(job);
  }
}

function prepareQueue(job: Job & { readonly name: "put" | "get" | "ask" | "answer" }): () => void {
  if (job.name === "put") {
    const queue = Queue.attach(job.handle);
    return () => {
      for (let i = 0; i < job.n; i++) queue.put(job.item);
    };
  }
  if (job.name === "get") {
    const queue = Queue.attach(job.handle);
    return () => {
      for (let i = 0; i < job.n; i++) queue.get();
    };
  }
  const [to, from] = [Queue.attach(job.to), Queue.attach(job.from)];
  return () => {
    for (let i = 0; i < job.n; i++) {
      if (job.name === "ask") to.put(i);
      const item = from.get();
      if (job.name === "answer") to.put(item);
    }
  };
}

function acquireAndRelease(lock: { acquire(): unknown; release(): void }, n: number): () => void {
  return () => {
    for (let i = 0; i < n; i++) {
      lock.acquire();
      lock.release();
    }
  };
}

/** Two atomic operations without waiting: the lower bound of a lock's cost. */
class Flag {
  constructor(readonly words: Int32Array) {}

  acquire(): void {
    Atomics.compareExchange(this.words, 0, 0, 1);
  }

  release(): void {
    Atomics.compareExchange(this.words, 0, 1, 0);
  }
}

/** A minimal lock that sleeps; it is unfair, since a release wakes no particular waiter. */
class Futex {
  constructor(readonly words: Int32Array) {}

  acquire(): void {
    if (Atomics.compareExchange(this.words, 0, 0, 1) === 0) return;
    while (Atomics.exchange(this.words, 0, 2) !== 0) Atomics.wait(this.words, 0, 2);
  }

  release(): void {
    if (Atomics.exchange(this.words, 0, 0) === 2) Atomics.notify(this.words, 0, 1);
  }
}

/** Two workers take turns by one word. */
function flip(words: Int32Array, side: number, n: number): void {
  for (let i = 0; i < n; i++) {
    while (Atomics.load(words, 0) !== side) Atomics.wait(words, 0, 1 - side);
    Atomics.store(words, 0, 1 - side);
    Atomics.notify(words, 0);
  }
}

/** @param each called with the number of received messages */
async function receive(port: MessagePort, n: number, each: (i: number) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    let i = 0;
    port.onmessage = () => {
      each(++i);
      if (i === n) resolve();
    };
  });
}
