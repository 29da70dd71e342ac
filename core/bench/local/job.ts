/** Jobs, done by workers, subprocesses or tasks. */

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
  await forEachParallel(jobs, parallelJobs, signal, (job) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./local_worker.ts", import.meta.url), { type: "module" });
      const stop = () => end(() => reject(signal.reason));
      const end = (settle: () => void) => {
        signal.removeEventListener("abort", stop);
        worker.terminate();
        settle();
      };
      worker.onmessage = () => end(resolve);
      worker.onerror = (event) => {
        event.preventDefault();
        end(() => reject(new Error(event.message)));
      };
      signal.addEventListener("abort", stop);
      worker.postMessage(job);
    }));
}

/** Does each job in a new process. */
export async function byProcesses(
  jobs: readonly Job[],
  start: StartJob,
  signal: AbortSignal,
): Promise<void> {
  await forEachParallel(jobs, parallelJobs, signal, async (job) => {
    const { code } = await start(job).output();
    if (code !== 0) throw new Error(`a subprocess ended with ${code}`);
  });
}

/** Does each job in a worker that is already running. @returns the seconds of the jobs alone */
export async function byReadyWorkers(jobs: readonly Job[], signal: AbortSignal): Promise<number> {
  const workers = jobs.map(() =>
    new Worker(new URL("./local_worker.ts", import.meta.url), { type: "module" })
  );
  const done = (worker: Worker, job: Job) =>
    new Promise<void>((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage(job);
    });
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {}); // the race below reports it
  const stop = () => ended.reject(signal.reason);
  signal.addEventListener("abort", stop);
  const all = (of: (i: number) => Job) =>
    Promise.race([Promise.all(workers.map((worker, i) => done(worker, of(i)))), ended.promise]);
  try {
    signal.throwIfAborted();
    await all(() => ({ kind: "nothing" }));
    const began = performance.now();
    await all((i) => jobs[i]);
    return (performance.now() - began) / 1000;
  } finally {
    signal.removeEventListener("abort", stop);
    for (const worker of workers) worker.terminate();
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
    const began = performance.now();
    const line = new TextEncoder().encode("\n");
    await Promise.all(writers.map((writer) => writer.write(line)));
    await Promise.all(readers.map(awaitOutput));
    return (performance.now() - began) / 1000;
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

async function forEachParallel<T>(
  items: readonly T[],
  parallel: number,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(Array.from({ length: parallel }, async () => {
    for (const item of queue) {
      signal.throwIfAborted();
      await work(item);
    }
  }));
}
