/**
 * The workers in which lessons run. They are started when first needed, and reused, as starting one
 * takes some 10 MB and 20 ms.
 *
 * Several threads may share a worker (see {@link maxWorkers}), so each message has the number of its
 * thread or job.
 */
import type { PrimitiveHandles } from "./primitives.ts";
import type { Report } from "./protocol.ts";

/** The most workers that one part of a lesson uses; more threads than that share them. */
export const maxWorkers = 20;

export type ToWorker =
  | {
    readonly type: "startThread";
    readonly id: number;
    readonly lesson: string;
    readonly threadFunction: string;
    readonly mayBlock: boolean;
    readonly primitives: PrimitiveHandles;
    readonly args: unknown;
  }
  | { readonly type: "resume" | "timeOut"; readonly id: number }
  | {
    readonly type: "runJob";
    readonly id: number;
    readonly lesson: string;
    readonly job: string;
    readonly args: unknown;
  };

export type FromWorker =
  | { readonly type: "report"; readonly id: number; readonly report: Report }
  | { readonly type: "message"; readonly id: number; readonly message: unknown }
  | {
    readonly type: "jobEnded";
    readonly id: number;
    readonly result?: unknown;
    readonly error?: string;
  };

export class WorkerPool implements Disposable {
  readonly #idle: PooledWorker[] = [];
  readonly #all = new Set<PooledWorker>();

  /** Lends a worker, and starts one if none is idle. */
  borrow(): PooledWorker {
    return this.#idle.pop() ?? this.#start();
  }

  /** Starts workers, until `count` are idle. */
  prestart(count: number): void {
    while (this.#idle.length < count) this.#idle.unshift(this.#start());
  }

  /** Takes back a worker whose threads and jobs have ended, or that was terminated. */
  giveBack(worker: PooledWorker): void {
    if (!this.#all.has(worker)) return;
    worker.stopListening();
    this.#idle.push(worker);
  }

  /** Terminates all workers. */
  [Symbol.dispose](): void {
    for (const worker of [...this.#all]) worker.terminate();
    this.#idle.length = 0;
  }

  #start(): PooledWorker {
    const worker: PooledWorker = new PooledWorker(() => this.#all.delete(worker));
    this.#all.add(worker);
    return worker;
  }
}

interface Listener {
  readonly onMessage: (message: FromWorker) => void;
  readonly onDeath: (reason: string) => void;
}

/** A worker of the pool. */
export class PooledWorker {
  readonly #worker = new Worker(new URL("./lesson_worker.ts", import.meta.url), { type: "module" });
  readonly #listeners = new Map<number, Listener>();
  readonly #onEnd: () => void;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      this.#listeners.get(data.id)?.onMessage(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      const listeners = [...this.#listeners.values()];
      this.terminate();
      for (const { onDeath } of listeners) onDeath(event.message);
    };
  }

  /** Sends a message; a terminated worker ignores it. */
  send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** Listens to the thread or job with the number `id`. @param onDeath gets the worker's error */
  listen(
    id: number,
    onMessage: (message: FromWorker) => void,
    onDeath: (reason: string) => void,
  ): void {
    this.#listeners.set(id, { onMessage, onDeath });
  }

  stopListening(): void {
    this.#listeners.clear();
  }

  terminate(): void {
    this.stopListening();
    this.#worker.terminate();
    this.#onEnd();
  }
}
