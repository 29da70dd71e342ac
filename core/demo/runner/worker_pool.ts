/**
 * The workers in which lessons run. They are started when first needed, and reused, as starting one
 * takes some 10 MB and 20 ms. Each thread and each job has a port of its own, as several threads may
 * share a worker (see {@link maxWorkers}).
 */
import type { PrimitiveHandles } from "./primitives.ts";

/** The most workers that one part of a lesson uses; more threads than that share them. */
export const maxWorkers = 20;

/** The start of a thread or a job in a worker. */
export type Start =
  & { readonly lesson: string; readonly args: unknown }
  & ({
    readonly type: "thread";
    readonly threadFunction: string;
    readonly mayBlock: boolean;
    readonly primitives: PrimitiveHandles;
  } | { readonly type: "job"; readonly job: string });

export type ToWorker = Start & { readonly port: MessagePort };

/** A message of a job, or its result or error. */
export type FromJob =
  | { readonly message: unknown }
  | { readonly result?: unknown; readonly error?: string };

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
    worker.clear();
    this.#idle.push(worker);
  }

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

export class PooledWorker {
  readonly #worker = new Worker(new URL("./lesson_worker.ts", import.meta.url), { type: "module" });
  readonly #onEnd: () => void;
  #onDeath: ((reason: string) => void)[] = [];

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#worker.onerror = (event) => {
      event.preventDefault();
      const onDeath = this.#onDeath;
      this.terminate();
      for (const callback of onDeath) callback(event.message);
    };
  }

  /** Starts a thread or a job. @param onDeath gets the worker's error @returns the port to it */
  start(start: Start, onDeath: (reason: string) => void): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#onDeath.push(onDeath);
    this.#worker.postMessage({ ...start, port: port2 } satisfies ToWorker, [port2]);
    return port1;
  }

  /** Forgets the threads and jobs, which have ended. */
  clear(): void {
    this.#onDeath = [];
  }

  terminate(): void {
    this.clear();
    this.#worker.terminate();
    this.#onEnd();
  }
}
