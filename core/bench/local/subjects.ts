/**
 * The subjects of `barge bench`, after a course on Python's threads of 2017 (see docs/demo.md). The
 * course's threads are workers here, its processes are subprocesses that run barge for one job, and
 * its coroutines are tasks (promises).
 */
import {
  byProcesses,
  byReadyProcesses,
  byReadyWorkers,
  byTasks,
  byWorkers,
  type Job,
  type StartJob,
} from "./job.ts";
import { queueing } from "./queue.ts";
import { type Subject, timed, type Way } from "./measure.ts";

export interface Setting {
  /** Do less work. */
  readonly quick: boolean;
  readonly start: StartJob;
  /** A small file to read. */
  readonly file: string;
}

type Author = Way["author"];

/** Returns tasks, workers and subprocesses for the same jobs. */
function ways(
  jobs: readonly Job[],
  { start }: Setting,
  authors: { readonly threads?: Author; readonly processes?: Author; readonly tasks?: Author },
): Way[] {
  return [
    {
      name: "tasks",
      is: "promises of one isolate",
      author: authors.tasks,
      run: () => timed(() => byTasks(jobs)),
    },
    {
      name: "workers",
      is: "an isolate and a thread each, 10 at a time",
      author: authors.threads,
      run: (signal) => timed(() => byWorkers(jobs, signal)),
    },
    {
      name: "subprocesses",
      is: "barge itself each, 10 at a time",
      author: authors.processes,
      run: (signal) => timed(() => byProcesses(jobs, start, signal)),
    },
  ];
}

const filled = (count: number, job: Job) => Array.from({ length: count }, () => job);

function spawn(setting: Setting): Subject {
  const [full, count] = [500, setting.quick ? 10 : 500];
  return {
    name: "spawn",
    title: `start ${count}, and wait until they end`,
    scale: count === full ? undefined : `the course started ${full}`,
    ways: ways(filled(count, { kind: "nothing" }), setting, {
      threads: { what: "500 threads", seconds: 0.059 },
      processes: { what: "500 processes", seconds: 19.55 },
    }),
  };
}

function cpu(setting: Setting): Subject {
  const count = setting.quick ? 5_000_000 : 100_000_000;
  return {
    name: "cpu",
    title: `ten tasks that compute, ${count.toLocaleString("en-US")} steps each`,
    scale: "the course's ten added up 100,000,000 numbers each, in Python",
    ways: ways(filled(10, { kind: "cpu", count }), setting, {
      threads: { what: "ten in threads, one lock for all", seconds: 66.2 },
      processes: { what: "ten in processes", seconds: 34.6 },
    }),
  };
}

function io(setting: Setting): Subject {
  const { quick, file, start } = setting;
  const [readers, count] = quick ? [4, 1_000] : [10, 10_000];
  const jobs = filled(readers, { kind: "io", path: file, times: count / readers });
  return {
    name: "io",
    title: `read a small file ${count.toLocaleString("en-US")} times, by ${readers} that have ` +
      "already started",
    scale:
      "the course's 100 read the file once each, and their time includes their start (see spawn)",
    ways: [
      {
        name: "tasks",
        is: `${readers} promises of one isolate`,
        run: () => timed(() => byTasks(jobs)),
      },
      {
        name: "workers",
        is: `${readers} isolates with a thread each`,
        author: { what: "100 threads, started to read once", seconds: 0.022 },
        run: (signal) => byReadyWorkers(jobs, signal),
      },
      {
        name: "subprocesses",
        is: `${readers} of barge itself`,
        author: { what: "100 processes, started to read once", seconds: 3.66 },
        run: (signal) => byReadyProcesses(jobs, start, signal),
      },
    ],
  };
}

function switches({ quick }: Setting): Subject {
  const count = quick ? 1_000_000 : 10_000_000;
  return {
    name: "switch",
    title: `${count.toLocaleString("en-US")} switches to a generator and back, and as many calls`,
    scale: `the course did 100,000,000, ${100_000_000 / count} times as many`,
    ways: [
      {
        name: "generator",
        is: "next() of a generator",
        author: { what: "10^8 generator switches", seconds: 12.49 },
        run: () => timed(() => drain(numbers(count))),
      },
      {
        name: "calls",
        is: "calls of a function that keeps its state",
        author: { what: "10^8 calls", seconds: 17.02 },
        run: () => timed(() => call(count)),
      },
      {
        name: "awaits",
        is: "awaits of a resolved promise",
        run: () => timed(() => wait(count)),
      },
    ],
  };
}

function* numbers(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield i;
}

function drain(numbers: Generator<number>): number {
  let sum = 0;
  for (const n of numbers) sum += n;
  return sum;
}

function call(count: number): number {
  let [at, sum] = [0, 0];
  const next = () => at++;
  while (at < count) sum += next();
  return sum;
}

async function wait(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined;
}

/** The server's delay of each page; requested together, they take as long as the slowest. */
const pageDelaysMs = [100, 150, 80, 120, 200, 90];

function fetching(): Subject {
  return {
    name: "fetch",
    title: "six pages of a server on this machine that takes 80 to 200 ms for each",
    scale: "the course's pages were on the internet",
    ways: [
      {
        name: "one by one",
        is: "each awaited before the next is requested",
        author: { what: "six pages one by one", seconds: 6.62 },
        run: (signal) =>
          withPages((get) =>
            timed(async () => {
              for (const [i] of pageDelaysMs.entries()) await get(i);
            }), signal),
      },
      {
        name: "together",
        is: "six tasks",
        author: { what: "six pages together", seconds: 3.63 },
        run: (signal) =>
          withPages((get) => timed(() => Promise.all(pageDelaysMs.map((_, i) => get(i)))), signal),
      },
    ],
  };
}

async function withPages(
  work: (get: (page: number) => Promise<string>) => Promise<number>,
  signal: AbortSignal,
): Promise<number> {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const page = Number(new URL(request.url).pathname.slice(1));
      await new Promise((resolve) => setTimeout(resolve, pageDelaysMs[page]));
      return new Response(`page ${page}`);
    },
  );
  const { port } = server.addr;
  return await work(async (page) => {
    const response = await fetch(`http://127.0.0.1:${port}/${page}`, { signal });
    return await response.text();
  });
}

export const subjects: Readonly<Record<string, (setting: Setting) => Subject>> = {
  spawn,
  cpu,
  io,
  switch: switches,
  fetch: fetching,
  queue: queueing,
};
