/** Jobs, done by workers, subprocesses or tasks. */
import { timed } from "./measure.ts";

export type Job =
  | { readonly kind: "nothing" }
  /** Adds up `count` numbers: work for one CPU. */
  | { readonly kind: "cpu"; readonly count: number }
  /** Reads a small file `times` times in sequence. */
  | { readonly kind: "io"; readonly path: string; readonly times: number };

export async function doJob(job: Job): Promise<void> {
  if (job.kind === "cpu") count(job.count);
  else if (job.kind === "io") { for (let i = 0; i < job.times; i++) await Deno.readFile(job.path); }
}

function count(n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum = (sum + i * i) % 1_000_003;
  return sum;
}

/**
 * Returns the command of a program that does one job and ends.
 *
 * @param waits the program prints `ready` and begins after a line of input
 */
export type StartJob = (job: Job, waits?: boolean) => Deno.Command;

/** Concurrent workers or processes: each takes about 10 MiB. */
const parallelJobs = 10;

/** Does each job in a new worker. */
export async function byWorkers(jobs: readonly Job[], signal: AbortSignal): Promise<void> {
  await forEachParallel(jobs, signal, async (job) => {
    using worker = new JobWorker(signal);
    await worker.do(job);
  });
}

/** Does each job in a new process. */
export async function byProcesses(
  jobs: readonly Job[],
  start: StartJob,
  signal: AbortSignal,
): Promise<void> {
  await forEachParallel(jobs, signal, async (job) => {
    const { code } = await start(job).output();
    if (code !== 0) throw new Error(`a subprocess ended with ${code}`);
  });
}

/** Does each job in a worker that is already running. @returns the seconds of the jobs alone */
export async function byReadyWorkers(jobs: readonly Job[], signal: AbortSignal): Promise<number> {
  using workers = new DisposableStack();
  const ready = jobs.map(() => workers.use(new JobWorker(signal)));
  await Promise.all(ready.map((worker) => worker.do({ kind: "nothing" })));
  return await timed(() => Promise.all(ready.map((worker, i) => worker.do(jobs[i]))));
}

/** A worker that does jobs, one at a time, until it is disposed. */
class JobWorker implements Disposable {
  readonly #worker = new Worker(new URL("./local_worker.ts", import.meta.url), { type: "module" });
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Does a job. @throws its error; the signal's reason */
  async do(job: Job): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => reject(this.#signal.reason);
    this.#worker.onmessage = () => resolve();
    this.#worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    this.#signal.throwIfAborted();
    this.#signal.addEventListener("abort", stop);
    this.#worker.postMessage(job);
    await promise.finally(() => this.#signal.removeEventListener("abort", stop));
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** Does each job in a process that is already running. @returns the seconds of the jobs alone */
export async function byReadyProcesses(
  jobs: readonly Job[],
  start: StartJob,
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  const children = jobs.map((job) => start(job, true).spawn());
  const readers = children.map(({ stdout }) => stdout.getReader());
  const writers = children.map(({ stdin }) => stdin.getWriter());
  const stop = () => children.forEach(end);
  signal.addEventListener("abort", stop);
  // The process prints whole lines, so any output means that it is ready.
  const awaitOutput = async (reader: ReadableStreamDefaultReader<Uint8Array>) => {
    const { done } = await reader.read();
    signal.throwIfAborted();
    if (done) throw new Error("a subprocess ended too early");
  };
  try {
    await Promise.all(readers.map(awaitOutput));
    return await timed(async () => {
      const line = new TextEncoder().encode("\n");
      await Promise.all(writers.map((writer) => writer.write(line)));
      await Promise.all(readers.map(awaitOutput));
    });
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
    await Promise.allSettled([
      ...writers.map((writer) => writer.abort()),
      ...readers.map((reader) => reader.cancel()),
      ...children.map(({ status }) => status),
    ]);
  }
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch { /* it has ended by itself */ }
}

/** Does all jobs in tasks of this isolate. */
export async function byTasks(jobs: readonly Job[]): Promise<void> {
  await Promise.all(jobs.map(doJob));
}

async function forEachParallel(
  jobs: readonly Job[],
  signal: AbortSignal,
  work: (job: Job) => Promise<void>,
): Promise<void> {
  const queue = jobs.values();
  await Promise.all(Array.from({ length: parallelJobs }, async () => {
    for (const job of queue) {
      signal.throwIfAborted();
      await work(job);
    }
  }));
}
