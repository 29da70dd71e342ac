/** What is done by a worker, a subprocess or a task: the same in each. */

export type Job =
  | { readonly kind: "nothing" }
  /** Sums up so many numbers: the work of one CPU. */
  | { readonly kind: "cpu"; readonly count: number }
  /** Reads a small file. */
  | { readonly kind: "io"; readonly path: string };

export async function doJob(job: Job): Promise<void> {
  if (job.kind === "cpu") count(job.count);
  else if (job.kind === "io") await Deno.readFile(job.path);
}

function count(n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum = (sum + i * i) % 1_000_003;
  return sum;
}

/** Starts a program that does one job and ends; the command line knows how. */
export type StartJob = (job: Job) => Deno.Command;

/** So many workers at a time: each takes some ten MiB. */
const abreast = 10;

/** Has each job done by a worker of its own, started for it and ended after it. */
export async function byWorkers(jobs: readonly Job[], signal: AbortSignal): Promise<void> {
  await each(jobs, abreast, signal, (job) =>
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

/** Has each job done by a process of its own. */
export async function byProcesses(
  jobs: readonly Job[],
  start: StartJob,
  signal: AbortSignal,
): Promise<void> {
  await each(jobs, abreast, signal, async (job) => {
    const { code } = await start(job).output();
    if (code !== 0) throw new Error(`a subprocess ended with ${code}`);
  });
}

/** Has all jobs done by tasks of this isolate. */
export async function byTasks(jobs: readonly Job[]): Promise<void> {
  await Promise.all(jobs.map(doJob));
}

async function each<T>(
  items: readonly T[],
  abreast: number,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(Array.from({ length: abreast }, async () => {
    for (const item of queue) {
      signal.throwIfAborted();
      await work(item);
    }
  }));
}
